// A load that goes on until it is told to stop, and looks at every answer. Forked by steady-load.ts, which sends a SteadyTask and
// then 'stop'; answers with 'started' and, in the end, a RequestLog.

import { isNear, readInferAnswer } from '../works/infer-answer.js';
import { closedLoop, type EndedRequest } from './closed-loop.js';
import { FAILED, RequestRecorder, WRONG, monotonicOffsetMs } from './request-log.js';
import type { SteadyTask } from './steady-load.js';

/** What gRPC puts before a message. */
const FRAME_HEAD_BYTES = 5;

process.once('message', (task: SteadyTask) => void load(task));

async function load({ port, body, point, expected }: SteadyTask): Promise<void> {
  const recorder = new RequestRecorder();
  const offset = monotonicOffsetMs();
  let wanted = true;
  process.once('message', () => (wanted = false));
  process.send!('started');
  await closedLoop(
    { port, body, point },
    {
      wantsMore: () => wanted,
      ended: (request) => {
        const outcome = outcomeOf(request, expected);
        recorder.add(request.sentAt + offset, request.endedAt + offset, outcome);
        if (request.failure !== undefined) recorder.failed(request.failure);
      },
    },
  );
  process.send!(recorder.log(), () => process.disconnect());
}

function outcomeOf({ failure, body }: EndedRequest, expected: SteadyTask['expected']): number {
  if (failure !== undefined) return FAILED;
  const { version, values } = readInferAnswer(body.subarray(FRAME_HEAD_BYTES));
  const index = expected.findIndex(
    (answer) => answer.version === version && isNear(values, answer.values),
  );
  return index < 0 ? WRONG : index;
}
