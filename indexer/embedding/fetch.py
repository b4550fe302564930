"""Models from a hub: find those fetched before, and fetch another one, which is the only use of a network."""

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

from indexer.errors import ModelError

# Weights in safetensors form, which cannot carry code, and the files that describe them.
TAKEN = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model"]


def fetched_model(name: str) -> Path:
    """Return the folder of a model that was fetched before; ModelError where it was not."""
    try:
        return Path(snapshot_download(name, local_files_only=True, allow_patterns=TAKEN))
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise ModelError(
            f"The model {name!r} is not on this machine. Where there is a network, it can be fetched.",
            remedy=f"warraq model fetch {name}",
        ) from error


def fetch_model(name: str) -> Path:
    """Download a model to the user's model cache and return its folder; ModelError where that fails."""
    try:
        folder = Path(snapshot_download(name, allow_patterns=TAKEN))
    except RepositoryNotFoundError as error:
        raise ModelError(f"The hub has no public model named {name!r}. Check its name.") from error
    except HFValidationError as error:
        raise ModelError(f"{name!r} is not a model name; it looks like owner/name.") from error
    except Exception as error:  # the hub's client also raises the errors of its HTTP library
        raise ModelError(f"The model {name!r} could not be fetched: is there a network? ({error})") from error
    if not any(folder.rglob("*.safetensors")):
        raise ModelError(
            f"The model {name!r} has no weights in safetensors form, the only form that is read."
        )
    return folder
