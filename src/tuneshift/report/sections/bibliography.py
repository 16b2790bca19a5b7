"""References of the methods that a study may use: one line to read, and BibTeX."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A reference as text and as BibTeX."""

    reference: str
    bibtex: str


def _entry(reference: str, kind: str, key: str, **fields: str) -> Entry:
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return Entry(reference, f"@{kind}{{{key},\n{lines}\n}}")


BIBLIOGRAPHY: dict[str, Entry] = {
    "aw2023instruction": _entry(
        "Aw, K. L., Montariol, S., AlKhamissi, B., Schrimpf, M., Bosselut, A. (2024). Instruction-tuning aligns LLMs to the "
        "human brain. COLM. arXiv:2312.00575.",
        "inproceedings", "aw2023instruction",
        title="Instruction-tuning Aligns {LLM}s to the Human Brain",
        author="Aw, Khai Loong and Montariol, Syrielle and AlKhamissi, Badr and Schrimpf, Martin and Bosselut, Antoine",
        booktitle="First Conference on Language Modeling", year="2024", eprint="2312.00575", archiveprefix="arXiv",
    ),
    "wu2024language": _entry(
        "Wu, X., Yao, W., Chen, J., Pan, X., Wang, X., Liu, N., Yu, D. (2024). From language modeling to instruction "
        "following. NAACL. arXiv:2310.00492.",
        "inproceedings", "wu2024language",
        title="From Language Modeling to Instruction Following: Understanding the Behavior Shift in {LLM}s after "
        "Instruction Tuning",
        author="Wu, Xuansheng and Yao, Wenlin and Chen, Jianshu and Pan, Xiaoman and Wang, Xiaoyang and Liu, Ninghao and "
        "Yu, Dong",
        booktitle="Proceedings of NAACL", year="2024", eprint="2310.00492", archiveprefix="arXiv",
    ),
    "feghhi2024what": _entry(
        "Feghhi, E., Hadidi, N., Song, B., Blank, I. A., Kao, J. C. (2024). What are large language models mapping to in "
        "the brain? A case against over-reliance on brain scores. arXiv:2406.01538.",
        "article", "feghhi2024what",
        title="What Are Large Language Models Mapping to in the Brain? A Case Against Over-Reliance on Brain Scores",
        author="Feghhi, Ebrahim and Hadidi, Nima and Song, Bryan and Blank, Idan A. and Kao, Jonathan C.",
        journal="arXiv preprint arXiv:2406.01538", year="2024",
    ),
    "schrimpf2021neural": _entry(
        "Schrimpf, M. et al. (2021). The neural architecture of language: integrative modeling converges on predictive "
        "processing. PNAS 118(45).",
        "article", "schrimpf2021neural",
        title="The neural architecture of language: Integrative modeling converges on predictive processing",
        author="Schrimpf, Martin and Blank, Idan Asher and Tuckute, Greta and Kauf, Carina and Hosseini, Eghbal A. and "
        "Kanwisher, Nancy and Tenenbaum, Joshua B. and Fedorenko, Evelina",
        journal="Proceedings of the National Academy of Sciences", volume="118", number="45", year="2021",
    ),
    "dupre2022feature": _entry(
        "Dupré la Tour, T., Eickenberg, M., Nunez-Elizalde, A. O., Gallant, J. L. (2022). Feature-space selection with "
        "banded ridge regression. NeuroImage 264.",
        "article", "dupre2022feature",
        title="Feature-space selection with banded ridge regression",
        author="Dupr{\\'e} la Tour, Tom and Eickenberg, Michael and Nunez-Elizalde, Anwar O. and Gallant, Jack L.",
        journal="NeuroImage", volume="264", year="2022",
    ),
    "smith2013effect": _entry(
        "Smith, N. J., Levy, R. (2013). The effect of word predictability on reading time is logarithmic. Cognition 128(3).",
        "article", "smith2013effect",
        title="The effect of word predictability on reading time is logarithmic",
        author="Smith, Nathaniel J. and Levy, Roger", journal="Cognition", volume="128", number="3", pages="302--319",
        year="2013",
    ),
    "goodkind2018predictive": _entry(
        "Goodkind, A., Bicknell, K. (2018). Predictive power of word surprisal for reading times is a linear function of "
        "language model quality. CMCL.",
        "inproceedings", "goodkind2018predictive",
        title="Predictive power of word surprisal for reading times is a linear function of language model quality",
        author="Goodkind, Adam and Bicknell, Klinton", booktitle="Proceedings of CMCL", year="2018",
    ),
    "pimentel2024how": _entry(
        "Pimentel, T., Meister, C. (2024). How to compute the probability of a word. EMNLP. arXiv:2406.14561.",
        "inproceedings", "pimentel2024how",
        title="How to Compute the Probability of a Word", author="Pimentel, Tiago and Meister, Clara",
        booktitle="Proceedings of EMNLP", year="2024", eprint="2406.14561", archiveprefix="arXiv",
    ),
    "oh2024leading": _entry(
        "Oh, B.-D., Schuler, W. (2024). Leading whitespaces of language models' subword vocabulary pose a confound for "
        "calculating word probabilities. EMNLP. arXiv:2406.10851.",
        "inproceedings", "oh2024leading",
        title="Leading Whitespaces of Language Models' Subword Vocabulary Pose a Confound for Calculating Word "
        "Probabilities",
        author="Oh, Byung-Doh and Schuler, William", booktitle="Proceedings of EMNLP", year="2024", eprint="2406.10851",
        archiveprefix="arXiv",
    ),
    "kornblith2019similarity": _entry(
        "Kornblith, S., Norouzi, M., Lee, H., Hinton, G. (2019). Similarity of neural network representations revisited. ICML.",
        "inproceedings", "kornblith2019similarity",
        title="Similarity of Neural Network Representations Revisited",
        author="Kornblith, Simon and Norouzi, Mohammad and Lee, Honglak and Hinton, Geoffrey",
        booktitle="Proceedings of ICML", year="2019",
    ),
    "gao2024framework": _entry(
        "Gao, L. et al. (2024). The language model evaluation harness. Zenodo.",
        "misc", "gao2024framework",
        title="The Language Model Evaluation Harness", author="Gao, Leo and others", publisher="Zenodo", year="2024",
    ),
}  # fmt: skip
"""Key -> reference."""
