// A work set up to be measured: its repository on disk, the servers on it, the request to send.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TemporaryRepository } from '../runtime/e2e/harness/temporary-repository.js';
import { TestClient } from '../runtime/e2e/harness/test-client.js';
import { cleaningUp, stop, type Cleanup } from './cleanup.js';
import type { Loader } from './load/load.js';
import { OrtProcess } from './processes/ort-process.js';
import { ServedProcess } from './processes/served-process.js';
import { answerBytes } from './works/infer-answer.js';
import { grpcFrame, inferMessage } from './works/infer-message.js';
import { configText, type Work } from './works/work.js';

export interface Stage {
  readonly work: Work;
  /** What is sent over and over, framed as gRPC does. */
  readonly bodyFile: string;
  readonly loader: Loader;
  readonly echo: ServedProcess;
  readonly inferd: ServedProcess;
  readonly client: TestClient;
  /** Only for models that are compute-bound. */
  readonly ort: OrtProcess | undefined;
}

/** Whatever happens on it, everything is stopped and removed afterwards. */
export function onStage<T>(
  work: Work,
  loader: Loader,
  act: (stage: Stage) => Promise<T>,
): Promise<T> {
  return cleaningUp(async (cleanup) => act(await setUp(work, loader, cleanup)));
}

// ---- details below; callers need not read ----

async function setUp(work: Work, loader: Loader, cleanup: Cleanup): Promise<Stage> {
  const repository = cleanup.enter(new TemporaryRepository(), (it) => it.remove());
  repository.write(`${work.name}/1/model.onnx`, work.model());
  repository.write(`${work.name}/config.pbtxt`, configText(work));
  const modelFile = join(repository.path, work.name, '1', 'model.onnx');
  const folder = cleanup.enter(mkdtempSync(join(tmpdir(), 'inferd-bench-')), (path) =>
    rmSync(path, { recursive: true }),
  );
  const message = inferMessage(work);
  const bodyFile = join(folder, 'body');
  writeFileSync(bodyFile, grpcFrame(message));

  const inferd = cleanup.enter(await ServedProcess.inferd(repository.path), stop);
  const client = cleanup.enter(new TestClient(inferd.grpcPort), (it) => it.close());
  const replyBytes = await answerBytes(inferd.grpcPort, message);
  const echo = cleanup.enter(await ServedProcess.echo(replyBytes), stop);
  const ort = work.computeBound
    ? cleanup.enter(await OrtProcess.start(work, modelFile), stop)
    : undefined;
  return { work, bodyFile, loader, echo, inferd, client, ort };
}
