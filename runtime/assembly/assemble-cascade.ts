// A cascade = observe > validate (> policies) > stages, each a leg, or several, to a model by its name.

import { cascadeConfig } from '../config/cascade-config.js';
import { bug } from '../core/errors.js';
import { Cascade } from '../pipeline/cascade.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { startPipeline } from './pipeline-version.js';

/** The models of its stages serve and fit (check-pipeline). @throws RuntimeError that says what is wrong with it */
export function assembleCascade(
  parts: AssemblyParts,
  options: AssemblyOptions,
  what: { readonly description: ModelDescription; readonly version: number },
): Promise<LoadedVersion> {
  const { catalog, clock, wheel } = parts;
  const { message, name } = what.description;
  const cascade = cascadeConfig(message);
  if (!cascade) throw bug(`model '${name}' is no cascade`);
  return startPipeline(parts, options, {
    ...what,
    make: (made) => {
      const servable = new Cascade({ ...made, catalog, clock, wheel, cascade });
      return { servable, node: servable.node };
    },
  });
}
