"""pereira2018_384: fMRI of people who read 384 sentences of short passages (Pereira et al. 2018)."""

from tuneshift.human.pereira2018 import experiment

DATA_SET = experiment(384)
