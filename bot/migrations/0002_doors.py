from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('linli', '0001_initial')]

    initial = False

    operations = [
        ops.CreateModel(
            name='BookmarkRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(unique=True, max_length=128)),
                ('value', fields.TextField(unique=False)),
            ],
            options={'table': 'bookmark', 'app': 'linli', 'pk_attr': 'id', 'table_description': "A place to read on from: a platform's cursor, or a moment."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='BudgetRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('channel', fields.CharField(max_length=32)),
                ('chat', fields.CharField(max_length=128)),
                ('remaining', fields.IntField()),
                ('until_ms', fields.BigIntField()),
                ('token', fields.TextField(unique=False)),
                ('spent', fields.TextField(unique=False)),
            ],
            options={'table': 'budget', 'app': 'linli', 'unique_together': (('channel', 'chat'),), 'pk_attr': 'id', 'table_description': '`remaining` messages until `until_ms`, and in `spent` (JSON) the moments (ms) of sends that count.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='OutboxRow',
            name='receipt',
            field=fields.CharField(db_default='', max_length=255),
        ),
    ]
