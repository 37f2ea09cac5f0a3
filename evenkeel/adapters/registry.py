"""The model registry: MLflow behind a small class, with a verified local cache in front of it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.adapters.mlflow_access import RegistryMissing, connect, is_server, shown, translated
from evenkeel.adapters.model_cache import ModelCache
from evenkeel.adapters.model_run import SHA256, clear_attempts, log_bundle, tags_of
from evenkeel.domain.batch import ModelRef
from evenkeel.errors import ModelUnusable
from evenkeel.learning.manifest import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from evenkeel.learning.trained import Card

STATUS = "evenkeel.status"
WHY = "evenkeel.why"
CHAMPION = "champion"
PREVIOUS = "previous"


@dataclass(frozen=True)
class RegisteredVersion:
    """One version as the registry shows it.

    Attributes:
        ref: The version, the digest it was registered with, and its run.
        status: What :meth:`Registry.mark` wrote last, as ``reverted``; empty where nothing was.
        why: The reason given with the status.
    """

    ref: ModelRef
    status: str = ""
    why: str = ""


class Registry:
    """MLflow's tracking and model registry, one experiment and one registered model per pipeline.

    Nothing here retries, and no call waits long for a registry that is away. MLflow is imported by the first
    call that talks to it; :meth:`fetch` of a cached version never does. Every call may raise ``Transient``
    (cause ``dependency.mlflow_down``) or ``Permanent`` (the registry refuses).

    Args:
        uri: An MLflow server, or an SQLAlchemy URL of a database that MLflow opens in this process.
        artifacts: Folder or URI where artifacts go when ``uri`` is a database; a server has its own.
        cache: Folder of the local cache.
    """

    def __init__(self, uri: str, artifacts: str, cache: str | Path) -> None:
        self._uri = uri
        self._artifacts = artifacts if "://" in artifacts else Path(artifacts).absolute().as_uri()
        self._cache = ModelCache(Path(cache))

    def register(
        self,
        pipeline: str,
        folder: Path,
        digest: str,
        card: Card,
        *,
        plots: Sequence[Path] = (),
    ) -> ModelRef:
        """Log a sealed bundle as a run and a model, and make it a registered version; cache it as well.

        The same digest again gives the version that is there, also after a call that failed half way: what
        such a call left behind is removed first (mlflow#8238: a retried create leaves ghosts).

        Args:
            pipeline: Pipeline name.
            folder: The bundle, sealed.
            digest: sha256 of its manifest.
            card: Its facts: logged as params, metrics and tags.
            plots: Image files, logged under ``plots/``.

        Raises:
            ModelUnusable: The folder does not verify against ``digest``; nothing was registered.
        """
        verify(folder, digest)
        client = connect(self._uri)
        with translated(self._uri, f"register a model of {pipeline}"):
            found = self._version_of(client, pipeline, digest)
            if found is None:
                found = self._create(client, pipeline, folder, digest=digest, card=card, plots=plots)
        ref = ModelRef(version=str(found.version), sha256=digest, run_id=found.run_id or "")
        self.warm(pipeline, ref, folder)
        return ref

    def warm(self, pipeline: str, ref: ModelRef, folder: Path) -> Path:
        """Put a bundle that is on this disk into the cache, so that its first use needs no registry.

        Raises:
            ModelUnusable: The folder does not verify against ``ref.sha256``.
        """
        return self._cache.find(pipeline, ref) or self._cache.put(
            pipeline, ref, lambda fresh: _copy(folder, fresh)
        )

    def fetch(self, pipeline: str, ref: ModelRef) -> Path:
        """Return a local folder that holds exactly the bundle that ``ref`` names.

        A cached copy that verifies is returned without a word to the registry; one that does not is replaced.

        Raises:
            ModelUnusable: The registry has no such version (``model.artifact_missing``) or holds other bytes
                than were registered (``model.artifact_corrupt``).
        """
        return self._cache.find(pipeline, ref) or self._cache.put(
            pipeline, ref, lambda fresh: self._download(pipeline, ref, fresh)
        )

    def salvage(self, pipeline: str, ref: ModelRef) -> Path | None:
        """Return the cached folder unverified, or None: for when :meth:`fetch` raised.

        Read it only through :func:`evenkeel.learning.bundle.open_bundle`, which verifies part by part:
        one that is whole may still answer.
        """
        place = self._cache.path(pipeline, ref)
        return place if place.is_dir() else None

    def set_standing(self, pipeline: str, champion: ModelRef | None, previous: ModelRef | None) -> None:
        """Make the aliases ``champion`` and ``previous`` name these versions, or none."""
        client = connect(self._uri)
        with translated(self._uri, f"set the aliases of {pipeline}"):
            present = self._aliases(client, pipeline)
            for alias, ref in ((CHAMPION, champion), (PREVIOUS, previous)):
                if ref is None:
                    if alias in present:
                        client.delete_registered_model_alias(pipeline, alias)
                elif present.get(alias) != ref.version:
                    client.set_registered_model_alias(pipeline, alias, ref.version)

    def mark(self, pipeline: str, version: str, status: str, why: str) -> None:
        """Write a status, as ``reverted`` or ``refused``, and its reason on a version."""
        client = connect(self._uri)
        with translated(self._uri, f"mark version {version} of {pipeline}"):
            client.set_model_version_tag(pipeline, version, STATUS, status)
            client.set_model_version_tag(pipeline, version, WHY, why)

    def aliases(self, pipeline: str) -> dict[str, str]:
        """Return alias -> version; empty where the pipeline has no registered model."""
        client = connect(self._uri)
        with translated(self._uri, f"read the aliases of {pipeline}"):
            return self._aliases(client, pipeline)

    def versions(self, pipeline: str) -> tuple[RegisteredVersion, ...]:
        """Return the pipeline's versions, oldest first."""
        client = connect(self._uri)
        with translated(self._uri, f"list the versions of {pipeline}"):
            found = client.search_model_versions(f"name='{pipeline}'")
        known = [
            RegisteredVersion(
                ref=ModelRef(str(v.version), v.tags.get(SHA256, ""), v.run_id or ""),
                status=v.tags.get(STATUS, ""),
                why=v.tags.get(WHY, ""),
            )
            for v in found
        ]
        return tuple(sorted(known, key=lambda v: int(v.ref.version)))

    def _aliases(self, client: MlflowClient, pipeline: str) -> dict[str, str]:
        found = client.search_registered_models(f"name='{pipeline}'")
        return {alias: str(version) for model in found for alias, version in model.aliases.items()}

    def _version_of(self, client: MlflowClient, pipeline: str, digest: str) -> ModelVersion | None:
        found = client.search_model_versions(f"name='{pipeline}' and tags.`{SHA256}`='{digest}'")
        return min(found, key=lambda v: int(v.version), default=None)

    def _create(
        self,
        client: MlflowClient,
        pipeline: str,
        folder: Path,
        *,
        digest: str,
        card: Card,
        plots: Sequence[Path],
    ) -> ModelVersion:
        experiment = self._experiment(client, pipeline)
        clear_attempts(client, experiment, digest)
        model = log_bundle(client, experiment, folder, digest=digest, card=card, plots=plots)
        if not client.search_registered_models(f"name='{pipeline}'"):
            client.create_registered_model(pipeline)
        return client.create_model_version(
            pipeline,
            source=model.artifact_location,
            run_id=model.source_run_id,
            tags=tags_of(card, digest),
            model_id=model.model_id,
        )

    def _experiment(self, client: MlflowClient, pipeline: str) -> str:
        found = client.get_experiment_by_name(pipeline)
        if found is None:
            location = None if is_server(self._uri) else f"{self._artifacts}/{pipeline}"
            return str(client.create_experiment(pipeline, artifact_location=location))
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _download(self, pipeline: str, ref: ModelRef, fresh: Path) -> None:
        client = connect(self._uri)
        from mlflow.artifacts import download_artifacts

        action = f"fetch version {ref.version} of {pipeline}"
        try:
            with translated(self._uri, action):
                source = client.get_model_version_download_uri(pipeline, ref.version)
                # MLflow names the downloaded folder itself; a bundle is flat.
                with tempfile.TemporaryDirectory(prefix=".new-", dir=fresh.parent) as scratch:
                    local = download_artifacts(artifact_uri=source, dst_path=scratch, tracking_uri=self._uri)
                    for entry in Path(local).iterdir():
                        entry.rename(fresh / entry.name)
        except (RegistryMissing, FileNotFoundError) as error:
            raise ModelUnusable(
                f"registry {shown(self._uri)} has no artifact for version {ref.version} of {pipeline}",
                cause="model.artifact_missing",
                evidence={"version": ref.version, "error": str(error)[:300]},
            ) from error


def _copy(folder: Path, fresh: Path) -> None:
    shutil.copytree(folder, fresh, dirs_exist_ok=True)
