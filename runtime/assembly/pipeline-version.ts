// One version of a model that asks other models: its layers and its pipeline, and nothing to start or to end.

import type { ServedModel } from '../core/model-catalog.js';
import type { Servable } from '../core/servable.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';

export class PipelineVersion implements LoadedVersion {
  readonly model: ServedModel;
  readonly servable: Servable;

  constructor(model: ServedModel, servable: Servable) {
    this.model = model;
    this.servable = servable;
  }

  /** The version policy is all that can change while it serves. */
  update({ message }: ModelDescription): Promise<ServedModel> {
    return Promise.resolve(Object.freeze({ ...this.model, configMessage: message }));
  }

  onLost(): void {
    // It has no instances that could be lost.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
