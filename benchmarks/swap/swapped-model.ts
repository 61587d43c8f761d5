// The model whose files change under load: what it answers, and the three kinds of change. An answer is known by its index in
// `expected`: version 1 from one file, version 1 from another, version 2.

import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { TestClient } from '../../runtime/e2e/harness/test-client.js';
import type { TemporaryRepository } from '../../runtime/e2e/harness/temporary-repository.js';
import { onnxModel } from '../../runtime/testing/onnx-model.js';
import type { ExpectedAnswer } from '../load/steady-load.js';
import { REQUEST_VALUE } from '../works/infer-message.js';
import { mlpAnswer, mlpGraph } from '../works/mlp-graph.js';
import { WORKS, configText } from '../works/work.js';
import { brokenFile } from './broken-file.js';

export const TINY = WORKS.find(({ name }) => name === 'tiny')!;

const SIZES = [32, 64, 32, 1];
const GRAPHS = [7, 8, 9].map((seed) => mlpGraph(SIZES, seed));
const FILES = GRAPHS.map(onnxModel);
const VERSION_2 = 2;

/** By index. */
export const EXPECTED: readonly ExpectedAnswer[] = GRAPHS.map((graph, index) => ({
  version: index === VERSION_2 ? 2 : 1,
  values: mlpAnswer(graph, REQUEST_VALUE),
}));

export class SwappedModel {
  /** Index of the file that version 1 is. */
  #file = 0;
  #broken = 0;
  readonly #repository: TemporaryRepository;
  readonly #client: () => TestClient;

  /** Writes version 1. `client` is asked for when the first change is made. */
  constructor(repository: TemporaryRepository, client: () => TestClient) {
    this.#repository = repository;
    this.#client = client;
    repository.write(
      `${TINY.name}/config.pbtxt`,
      `${configText(TINY)}version_policy { all { } }\n`,
    );
    this.#write(1, FILES[0]!);
  }

  /** Another file in place of version 1. Returns the answer from now on, as the others do. */
  async reload(): Promise<number> {
    this.#file = 1 - this.#file;
    this.#write(1, FILES[this.#file]!);
    await this.#load();
    return this.#file;
  }

  async addVersion(): Promise<number> {
    this.#write(2, FILES[VERSION_2]!);
    await this.#load();
    return VERSION_2;
  }

  async removeVersion(): Promise<number> {
    rmSync(join(this.#repository.path, TINY.name, '2'), { recursive: true });
    await this.#load();
    return this.#file;
  }

  /** A file that cannot be loaded, in place of version 1, which must serve on. @throws Error when it is loaded all the same */
  async breakFile(): Promise<number> {
    this.#write(1, brokenFile(FILES[this.#file]!, this.#broken++));
    const refused = await this.#load().then(
      () => false,
      () => true,
    );
    if (!refused) throw new Error('a broken file was loaded');
    return this.#file;
  }

  async restoreFile(): Promise<number> {
    // The same bytes; that they were written anew is seen by their time.
    await sleep(FILE_TIME_MS);
    this.#write(1, FILES[this.#file]!);
    await this.#load();
    return this.#file;
  }

  #write(version: number, file: Uint8Array): void {
    this.#repository.write(`${TINY.name}/${version}/model.onnx`, file);
  }

  async #load(): Promise<void> {
    await this.#client().call('RepositoryModelLoad', { model_name: TINY.name });
  }
}

/** Two writes are surely told apart by their times after this. */
const FILE_TIME_MS = 10;
