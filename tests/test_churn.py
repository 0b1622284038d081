"""Random changes of files and folders: afterwards the table equals the disk, and every folder is still heard.

``make fuzz`` runs more seeds, each for longer: IPYHOT_CHURN=seeds:seconds.
"""

import os

import churn
import pytest
from watched import Watched

SEEDS, SECONDS = (int(part) for part in os.environ.get("IPYHOT_CHURN", "3:2").split(":"))
FIRST = int(os.environ.get("IPYHOT_CHURN_FIRST", "1"))


@pytest.mark.timeout(60 + 3 * SECONDS)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_after_any_changes_the_table_equals_the_disk_and_every_folder_is_heard(watched: Watched, seed: int) -> None:
    watched.start()
    assert churn.run(watched, seed, SECONDS) > 100
    assert watched.notes == []
