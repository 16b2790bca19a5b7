"""Chat templates that one model lends to another: a base has none, and a fair comparison gives both the same."""

from __future__ import annotations

from transformers import AutoTokenizer

from tuneshift.errors import BadInput, nearest
from tuneshift.models.embedded_models import embedded_names
from tuneshift.models.revision import local_folder


def chat_template_of(ref: str) -> str:
    """Return the chat template of a model's tokenizer (hub id, folder or embedded name), without loading the model.

    Raises BadInput where there is no such model, or it has no template.
    """
    folder = local_folder(ref)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder) if folder else ref, trust_remote_code=False)
    except Exception as error:  # whatever a file of somebody else's makes transformers say
        near = nearest(ref, embedded_names())
        raise BadInput(
            f"template: model {ref!r} was not found{near}; give a model that has a chat template."
        ) from error
    if not tokenizer.chat_template:
        raise BadInput(f"template: model {ref!r} has no chat template to lend; give its tuned version.")
    return str(tokenizer.chat_template)
