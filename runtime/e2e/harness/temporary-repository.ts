// A model repository of the test's own: models copied from elsewhere or written by the test.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnxModel, type OnnxGraph } from '../../testing/onnx-model.js';

export const SAMPLE_MODELS = fileURLToPath(new URL('../../../model_repository', import.meta.url));
export const GOLDEN_MODELS = fileURLToPath(new URL('../golden/models', import.meta.url));

export class TemporaryRepository {
  readonly path = mkdtempSync(join(tmpdir(), 'inferd-repository-'));

  /** A model directory as it is, and, if given, another configuration. */
  copy(from: string, name: string, config?: string): void {
    cpSync(from, join(this.path, name), { recursive: true });
    if (config !== undefined) this.write(`${name}/config.pbtxt`, config);
  }

  /** Version 1 of a model. */
  model(name: string, graph: OnnxGraph, config?: string): void {
    this.write(`${name}/1/model.onnx`, onnxModel(graph));
    if (config !== undefined) this.write(`${name}/config.pbtxt`, config);
  }

  write(file: string, content: string | Uint8Array): void {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
