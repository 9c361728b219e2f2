from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('linli', '0002_doors')]

    initial = False

    operations = [
        ops.AddField(
            model_name='OutboxRow',
            name='mentions',
            field=fields.TextField(db_default='', unique=False),
        ),
    ]
