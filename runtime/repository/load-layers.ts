// Layers around the assembly of a version: what becomes of the files beside its model.

import { readModelCard } from './model-card.js';
import type { OverrideFiles } from './override-files.js';
import type { LoadVersion, LoadedVersion } from './servable-handle.js';

/** A version that was loaded from the files of a load call holds them until it is closed. */
export function holdOverrideFiles(loadVersion: LoadVersion): LoadVersion {
  return async (description, version) => {
    const loaded = await loadVersion(description, version);
    return description.overrideFiles ? held(loaded, description.overrideFiles) : loaded;
  };
}

/** A version shows the properties of its model.json, and is not loaded at all if that does not fit the model. */
export function showModelCard(loadVersion: LoadVersion): LoadVersion {
  return async (description, version) => {
    const properties = await readModelCard(description, version);
    const loaded = await loadVersion(description, version);
    return properties ? shown(loaded, properties) : loaded;
  };
}

// ---- details below; callers need not read ----

function held(loaded: LoadedVersion, files: OverrideFiles): LoadedVersion {
  files.hold();
  return {
    ...passedOn(loaded),
    close: async () => {
      try {
        await loaded.close();
      } finally {
        await files.release();
      }
    },
  };
}

function shown(loaded: LoadedVersion, properties: Readonly<Record<string, string>>): LoadedVersion {
  return {
    ...passedOn(loaded),
    model: Object.freeze({ ...loaded.model, properties }),
    update: async (description) =>
      Object.freeze({ ...(await loaded.update(description)), properties }),
  };
}

function passedOn(loaded: LoadedVersion): LoadedVersion {
  return {
    model: loaded.model,
    servable: loaded.servable,
    update: (description) => loaded.update(description),
    onLost: (listener) => loaded.onLost(listener),
    close: () => loaded.close(),
  };
}
