from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('linli', '0003_mentions')]

    initial = False

    operations = [
        ops.CreateModel(
            name='BriefRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('community', fields.ForeignKeyField('linli.CommunityRow', source_field='community_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('due_ms', fields.BigIntField(null=True)),
            ],
            options={'table': 'brief', 'app': 'linli', 'unique_together': (('community',),), 'indexes': [Index(fields=['due_ms'])], 'pk_attr': 'id', 'table_description': "When a community's next brief is due."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DutyRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('community', fields.ForeignKeyField('linli.CommunityRow', source_field='community_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('person', fields.ForeignKeyField('linli.PersonRow', source_field='person_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('start_ms', fields.BigIntField()),
                ('end_ms', fields.BigIntField()),
                ('note', fields.CharField(max_length=64)),
                ('made_by_id', fields.BigIntField(null=True)),
                ('made_ms', fields.BigIntField()),
            ],
            options={'table': 'duty', 'app': 'linli', 'unique_together': (('person', 'start_ms', 'end_ms'),), 'indexes': [Index(fields=['community_id', 'end_ms', 'start_ms'])], 'pk_attr': 'id', 'table_description': 'One shift of one person, `end_ms` exclusive. A standing duty runs from ALWAYS to FOREVER.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='JoinedRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('ticket', fields.ForeignKeyField('linli.TicketRow', source_field='ticket_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('person', fields.ForeignKeyField('linli.PersonRow', source_field='person_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('home_id', fields.BigIntField(null=True)),
                ('from_id', fields.BigIntField(null=True)),
                ('category', fields.CharField(max_length=32)),
                ('brief', fields.CharField(max_length=255)),
                ('words', fields.TextField(unique=False)),
                ('building', fields.CharField(max_length=16)),
                ('unit', fields.CharField(max_length=16)),
                ('floor', fields.CharField(max_length=16)),
                ('room', fields.CharField(max_length=16)),
                ('place', fields.CharField(max_length=64)),
                ('channel', fields.CharField(max_length=32)),
                ('chat', fields.CharField(max_length=128)),
                ('at_ms', fields.BigIntField()),
            ],
            options={'table': 'joined', 'app': 'linli', 'unique_together': (('ticket', 'person'),), 'pk_attr': 'id', 'table_description': 'One who reported it. `channel` and `chat` are the group where that was said, empty in private.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='LinkRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('ticket', fields.ForeignKeyField('linli.TicketRow', source_field='ticket_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('other_id', fields.BigIntField()),
            ],
            options={'table': 'ticket_link', 'app': 'linli', 'unique_together': (('ticket', 'other_id'),), 'indexes': [Index(fields=['other_id'])], 'pk_attr': 'id', 'table_description': 'Two tickets that belong together, the older one first.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SwapRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('community', fields.ForeignKeyField('linli.CommunityRow', source_field='community_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('asker_id', fields.BigIntField()),
                ('other_id', fields.BigIntField()),
                ('give_id', fields.BigIntField(null=True)),
                ('take_id', fields.BigIntField(null=True)),
                ('state', fields.CharField(max_length=8)),
                ('made_ms', fields.BigIntField()),
                ('due_ms', fields.BigIntField(null=True)),
            ],
            options={'table': 'swap', 'app': 'linli', 'indexes': [Index(fields=['due_ms'])], 'pk_attr': 'id', 'table_description': 'One question. `due_ms` is when it has lapsed, null once there is an answer.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='TicketRow',
            name='about_id',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='asked_id',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='claim_ms',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='done_ms',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='into_id',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='matter',
            field=fields.CharField(db_default='', max_length=32),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='paused_ms',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='rating',
            field=fields.SmallIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='since_ms',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='visit_ms',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='waits_for',
            field=fields.CharField(db_default='', max_length=8),
        ),
        ops.AddIndex(
            model_name='TicketRow',
            index=Index(fields=['community_id', 'category', 'building', 'unit', 'id']),
        ),
        ops.AddIndex(
            model_name='TicketRow',
            index=Index(fields=['community_id', 'matter', 'id']),
        ),
    ]
