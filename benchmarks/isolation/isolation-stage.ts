// A server with the slow model and some tiny ones.

import { TemporaryRepository } from '../../runtime/e2e/harness/temporary-repository.js';
import type { Cleanup } from '../cleanup.js';
import { stop } from '../cleanup.js';
import { ServedProcess } from '../processes/served-process.js';
import { grpcFrame, inferMessage } from '../works/infer-message.js';
import { WORKS, configText } from '../works/work.js';
import { slowModel } from './slow-model.js';

export interface IsolationStage {
  readonly port: number;
  readonly slowMessage: Buffer;
  readonly tinyModels: readonly TinyModel[];
}

export interface TinyModel {
  readonly name: string;
  readonly message: Buffer;
  /** Framed. */
  readonly body: Buffer;
}

export interface StageSettings {
  readonly slowSteps: number;
  readonly tinyCount: number;
  readonly flags: readonly string[];
}

const TINY = WORKS.find(({ name }) => name === 'tiny')!;
const SLOW = { name: 'slow', input: 'x', inputShape: [1], maxBatchSize: 0 };

/** One instance of each model, with one thread. */
export async function isolationStage(
  { slowSteps, tinyCount, flags }: StageSettings,
  cleanup: Cleanup,
): Promise<IsolationStage> {
  const repository = cleanup.enter(new TemporaryRepository(), (it) => it.remove());
  repository.write('slow/1/model.onnx', slowModel(slowSteps));
  repository.write('slow/config.pbtxt', configText(SLOW));
  const tinyModels = Array.from({ length: tinyCount }, (_, index) => {
    const work = { ...TINY, name: `tiny${index}` };
    repository.write(`${work.name}/1/model.onnx`, work.model());
    repository.write(`${work.name}/config.pbtxt`, configText(work));
    const message = inferMessage(work);
    return { name: work.name, message, body: grpcFrame(message) };
  });
  const server = cleanup.enter(await ServedProcess.inferd(repository.path, { flags }), stop);
  return { port: server.grpcPort, slowMessage: inferMessage(SLOW), tinyModels };
}
