from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('linli', '0003_mentions')]

    initial = False

    operations = [
        ops.AddField(
            model_name='TicketRow',
            name='about_id',
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
            name='visit_ms',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='TicketRow',
            name='waits_for',
            field=fields.CharField(db_default='', max_length=8),
        ),
    ]
