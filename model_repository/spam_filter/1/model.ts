// Rules first: a message that one of them knows is decided here, in microseconds. The others of all requests go to spam_light in one
// call.

import { defineModel, tensor, type ExecuteContext } from 'inferd';
import { normalize } from './normalize.ts';
import rules from './rules.json' with { type: 'json' };

interface Decision {
  rule: string;
  probability: number;
}

const RULES = rules.map(({ name, spam, pattern }) => ({
  name,
  probability: spam ? 1 : 0,
  pattern: new RegExp(pattern),
}));

function decide(text: string): Decision | undefined {
  const normal = normalize(text);
  const rule = RULES.find(({ pattern }) => pattern.test(normal));
  return rule && { rule: rule.name, probability: rule.probability };
}

async function ask(texts: string[], context: ExecuteContext): Promise<number[]> {
  const { parameters, maxBatchSize } = context;
  const answers: number[] = [];
  for (let at = 0; at < texts.length; at += maxBatchSize) {
    const part = texts.slice(at, at + maxBatchSize);
    const inputs = { text: tensor('BYTES', [part.length, 1], part) };
    const answer = await context.infer({ model: parameters['model'] ?? '', inputs });
    answers.push(...answer.output('spam_probability', 'FP32').data);
  }
  return answers;
}

export default defineModel({
  async execute(requests, context) {
    const hits = context.metrics.counter('spam_filter_hits_total', 'Messages that a rule decided');
    const texts = requests.map((request) => request.texts('text'));
    const decisions = texts.map((some) => some.map(decide));
    const open = texts.flatMap((some, i) => some.filter((_, row) => !decisions[i]![row]));
    const asked = await ask(open, context);
    hits.add(texts.flat().length - open.length);
    let next = 0;
    return requests.map(({ rows }, i) => {
      const all = decisions[i]!.map(
        (decision) => decision ?? { rule: '', probability: asked[next++]! },
      );
      return {
        outputs: {
          spam_probability: tensor(
            'FP32',
            [rows, 1],
            all.map(({ probability }) => probability),
          ),
          rule: tensor(
            'BYTES',
            [rows, 1],
            all.map(({ rule }) => rule),
          ),
        },
      };
    });
  },
});
