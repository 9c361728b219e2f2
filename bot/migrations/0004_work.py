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
            name='BookingRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('community', fields.ForeignKeyField('linli.CommunityRow', source_field='community_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('ticket_id', fields.BigIntField(null=True)),
                ('service', fields.CharField(max_length=64)),
                ('start_ms', fields.BigIntField()),
                ('end_ms', fields.BigIntField()),
                ('worker_id', fields.BigIntField(null=True)),
                ('person_id', fields.BigIntField()),
                ('home_id', fields.BigIntField(null=True)),
                ('series_id', fields.BigIntField(null=True)),
                ('people', fields.IntField()),
                ('price', fields.IntField()),
                ('consent', fields.TextField(unique=False)),
                ('due_ms', fields.BigIntField(null=True)),
            ],
            options={'table': 'booking', 'app': 'linli', 'indexes': [Index(fields=['due_ms']), Index(fields=['ticket_id']), Index(fields=['series_id', 'start_ms']), Index(fields=['home_id', 'start_ms'])], 'pk_attr': 'id', 'table_description': 'One row a booking. `due_ms` is when the house speaks of it next by itself, null when it does not.'},
            bases=['Model'],
        ),
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
            name='CostRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('community', fields.ForeignKeyField('linli.CommunityRow', source_field='community_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('ticket', fields.ForeignKeyField('linli.TicketRow', source_field='ticket_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('stage', fields.CharField(max_length=8)),
                ('state', fields.CharField(max_length=8)),
                ('fen', fields.BigIntField()),
                ('what', fields.CharField(max_length=200)),
                ('by_id', fields.BigIntField()),
                ('answered_id', fields.BigIntField(null=True)),
                ('made_ms', fields.BigIntField()),
                ('answered_ms', fields.BigIntField(null=True)),
                ('step', fields.IntField()),
                ('due_ms', fields.BigIntField(null=True)),
            ],
            options={'table': 'cost', 'app': 'linli', 'indexes': [Index(fields=['ticket_id', 'id']), Index(fields=['due_ms'])], 'pk_attr': 'id', 'table_description': 'A price or a bill. `due_ms` is when a bill without an answer is asked about again, null for never.'},
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
            name='SeriesRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('community', fields.ForeignKeyField('linli.CommunityRow', source_field='community_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('person_id', fields.BigIntField()),
                ('home_id', fields.BigIntField(null=True)),
                ('service', fields.CharField(max_length=64)),
                ('rule', fields.CharField(max_length=128)),
                ('start_minute', fields.IntField()),
                ('minutes', fields.IntField()),
                ('worker_id', fields.BigIntField(null=True)),
                ('place', fields.CharField(max_length=160)),
                ('phone', fields.CharField(max_length=20)),
                ('consent', fields.TextField(unique=False)),
                ('begins', fields.CharField(max_length=10)),
                ('made', fields.CharField(max_length=10)),
                ('skipped', fields.TextField(unique=False)),
                ('due_ms', fields.BigIntField(null=True)),
            ],
            options={'table': 'series', 'app': 'linli', 'indexes': [Index(fields=['due_ms']), Index(fields=['person_id', 'id']), Index(fields=['home_id', 'id'])], 'pk_attr': 'id', 'table_description': 'One row a series. `due_ms` is when the next occurrence is made, null once it was stopped.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StockRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('community', fields.ForeignKeyField('linli.CommunityRow', source_field='community_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('item', fields.CharField(max_length=64)),
                ('count', fields.IntField()),
                ('low_told', fields.SmallIntField()),
            ],
            options={'table': 'stock', 'app': 'linli', 'unique_together': (('community', 'item'),), 'pk_attr': 'id', 'table_description': 'One part of one community. `low_told` is 1 once the leads know that it gets low.'},
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
        ops.CreateModel(
            name='TakenRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('resource', fields.CharField(max_length=128)),
                ('cell', fields.BigIntField()),
                ('booking', fields.ForeignKeyField('linli.BookingRow', source_field='booking_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
            ],
            options={'table': 'taken', 'app': 'linli', 'unique_together': (('resource', 'cell'),), 'indexes': [Index(fields=['booking_id'])], 'pk_attr': 'id', 'table_description': "A piece of time of a worker, a court or a household's allowance, taken by a booking."},
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
    ]
