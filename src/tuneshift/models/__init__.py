"""Language models: loading, hidden states, surprisal, generation and anatomy."""

from tuneshift.models.embedded_models import embedded_names
from tuneshift.models.language_model import LanguageModel
from tuneshift.models.source import model_revision

__all__ = ["LanguageModel", "embedded_names", "model_revision"]
