"""Places an order: python -m examples.celery_tasks.checkout ORDER"""

import sys

from examples.celery_tasks.tasks import charge_card

charge_card.delay(int(sys.argv[1]))
