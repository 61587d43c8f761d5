import { describe, expect, it } from 'vitest';
import { aMessage } from '../testing/build.js';
import { parseModelConfig } from './parse-model-config.js';
import { validateModelConfig } from './validate-model-config.js';

/** "path: text" of each problem. */
function problemsOf(text: string): string[] {
  const message = aMessage(parseModelConfig(text).message);
  return validateModelConfig({ platform: 'onnxruntime_onnx', ...message }, 'm').map(
    ({ path, message: what }) => `${path}: ${what}`,
  );
}

describe('validateModelConfig', () => {
  it('has nothing against a good configuration', () => {
    expect(
      problemsOf(`max_batch_size: 8
        dynamic_batching { preferred_batch_size: [ 2, 8 ] priority_levels: 2 default_priority_level: 1
                           priority_queue_policy { key: 2 value { max_queue_size: 5 } } }`),
    ).toEqual([]);
  });

  it.each([
    [
      'name: "other"',
      "name: unexpected directory name 'm' for model 'other', directory name must equal model name",
    ],
    [
      'platform: "ensemble"',
      "backend: Ensemble model 'm' must have platform type 'ensemble' and empty backend type",
    ],
    [
      'platform: "tensorrt_plan"',
      "platform: unexpected 'platform' and 'backend' pair, got:tensorrt_plan, onnxruntime",
    ],
    ['backend: "" platform: "nosuch"', "platform: unexpected platform type 'nosuch' for m"],
    ['max_batch_size: -1', "max_batch_size: 'max_batch_size' must be non-negative value for m"],
    [
      'max_batch_size: 4 dynamic_batching { preferred_batch_size: [ 2, 0 ] }',
      'dynamic_batching.preferred_batch_size[1]: dynamic batching preferred size must be positive for m',
    ],
    [
      'max_batch_size: 4 dynamic_batching { preferred_batch_size: 8 }',
      'dynamic_batching.preferred_batch_size[0]: dynamic batching preferred size must be <= max batch size for m',
    ],
    [
      'max_batch_size: 4 dynamic_batching { priority_levels: 2 }',
      'dynamic_batching.default_priority_level: default priority level must be in range [1, 2] for m',
    ],
    [
      'dynamic_batching { priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 3 value { } } }',
      'dynamic_batching.priority_queue_policy[3]: priority queue policy must have priority level in range [1, 2] for m',
    ],
    [
      'dynamic_batching { preserve_ordering: true priority_levels: 2 default_priority_level: 1 }',
      "dynamic_batching.priority_levels: Only one priority level is allowed when 'preserve_ordering' is true for m",
    ],
    [
      'dynamic_batching { preserve_ordering: true default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1 } }',
      "dynamic_batching.default_queue_policy.timeout_action: Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for m",
    ],
    [
      'parameters { key: "queue_order" value { string_value: "lifo" } }',
      "parameters[\"queue_order\"]: parameter 'queue_order' of m must be one of arrival, deadline, got 'lifo'",
    ],
    [
      'sequence_batching { } response_cache { enable: true }',
      'response_cache.enable: Response Cache does not currently support model m with sequence batching scheduler. Please disable the response cache.',
    ],
    [
      'default_model_filename: "/etc/passwd"',
      "default_model_filename: must name a file inside the directory of model 'm', got '/etc/passwd'",
    ],
    [
      'instance_group { count: 2000000000 }',
      "instance_group: 2000000000 instances of model 'm' are too many: at most 1024",
    ],
    [
      'instance_group [ { passive: true }, { passive: true } ]',
      "instance_group: all instance groups of model 'm' are passive: nothing would run its requests",
    ],
    [
      'model_warmup { count: 4000000000 batch_size: 1 }',
      'model_warmup[0].count: count of a warmup sample is 4000000000: at most 10000',
    ],
    [
      'output { label_filename: "a/../../b" }',
      "output[0].label_filename: must name a file inside the directory of model 'm', got 'a/../../b'",
    ],
    [
      'cc_model_filenames { key: "7.0" value: ".." }',
      "cc_model_filenames[\"7.0\"]: must name a file inside the directory of model 'm', got '..'",
    ],
    [
      'model_metrics { metric_control { } }',
      "model_metrics.metric_control[0]: metric control must specify 'metric_identifier'",
    ],
    [
      'model_metrics { metric_control { metric_identifier { family: "f" } histogram_options { } } }',
      "model_metrics.metric_control[0]: histogram options must specify non-empty 'buckets'",
    ],
  ])('finds what is wrong with %s', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('finds everything that is wrong at once', () => {
    const found = problemsOf(
      'name: "x" max_batch_size: -1 dynamic_batching { preferred_batch_size: [ 0, 5 ] }',
    );

    expect(found.map((problem) => problem.slice(0, problem.indexOf(':')))).toEqual([
      'name',
      'max_batch_size',
      'dynamic_batching.preferred_batch_size[0]',
      'dynamic_batching.preferred_batch_size[1]',
    ]);
  });
});
