// Loads of versions that the test lets succeed or fail, one by one.

import { RuntimeError } from '../core/errors.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import { aServedModel } from './fake-catalog.js';

export class GatedLoads {
  /** In the order in which things happened. */
  readonly log: string[] = [];
  readonly #waiting = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  readonly #unclosable = new Set<string>();
  /** By version: how often its instance groups can still be changed. */
  readonly #changesLeft = new Map<string, number>();
  readonly #lost = new Map<string, (error: RuntimeError) => void>();

  readonly loadVersion = async (
    { name, message: configMessage }: ModelDescription,
    version: number,
  ): Promise<LoadedVersion> => {
    const id = `${name}:${version}`;
    this.log.push(`load ${id}`);
    await new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    return {
      model: aServedModel({ name, version, configMessage }),
      servable: { infer: (_request, _call, reply) => reply.end() },
      update: ({ message }) => {
        this.log.push(`update ${id}`);
        const left = this.#changesLeft.get(id) ?? Infinity;
        this.#changesLeft.set(id, left - 1);
        return left <= 0
          ? Promise.reject(new RuntimeError('INTERNAL', 'no thread is left'))
          : Promise.resolve(aServedModel({ name, version, configMessage: message }));
      },
      onLost: (listener) => void this.#lost.set(id, listener),
      close: () => {
        this.log.push(`close ${id}`);
        return this.#unclosable.has(id)
          ? Promise.reject(new RuntimeError('BACKEND_LOST', 'the thread is gone'))
          : Promise.resolve();
      },
    };
  };

  /** Versions that are loading. */
  get loading(): string[] {
    return [...this.#waiting.keys()];
  }

  async succeed(...ids: string[]): Promise<void> {
    await settle();
    for (const id of ids) this.#take(id).resolve();
    await settle();
  }

  async fail(id: string, error: unknown): Promise<void> {
    await settle();
    this.#take(id).reject(error);
    await settle();
  }

  /** Closing this version fails. */
  breakClosing(id: string): void {
    this.#unclosable.add(id);
  }

  /** Changing the instance groups of this version fails. */
  breakUpdating(id: string): void {
    this.breakUpdatingAfter(id, 0);
  }

  /** So often they can be changed, and then no more. */
  breakUpdatingAfter(id: string, times: number): void {
    this.#changesLeft.set(id, times);
  }

  /** The instances of this version are gone for good. */
  lose(id: string): void {
    this.#lost.get(id)?.(new RuntimeError('BACKEND_LOST', 'its thread kept dying'));
  }

  #take(id: string): { resolve: () => void; reject: (error: unknown) => void } {
    const waiting = this.#waiting.get(id);
    if (!waiting) throw new Error(`${id} is not loading`);
    this.#waiting.delete(id);
    return waiting;
  }
}

/** Lets promises run their course. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** The files of a model; `stamp` changes with them, `groups` with its instance groups. */
export function described(
  versions: number[],
  { name = 'm', stamp = 'a', groups = '' } = {},
): ModelDescription {
  return {
    name,
    directory: '',
    written: { message: {}, origin: 'file' },
    message: { platform: groups },
    hasConfigFile: false,
    versions,
    sources: new Map(
      versions.map((version) => [version, { fingerprint: `${stamp}${version}`, inPlace: groups }]),
    ),
    warnings: [],
  };
}
