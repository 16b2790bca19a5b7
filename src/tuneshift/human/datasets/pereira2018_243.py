"""pereira2018_243: fMRI of people who read 243 sentences of short passages (Pereira et al. 2018)."""

from tuneshift.human.pereira2018 import experiment

DATA_SET = experiment(243)
