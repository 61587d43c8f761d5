// The flags of tritonserver on what instances and clients share: resources, the response cache, memory.

import { boolean, text, type FlagGroup } from './flag.js';

export const SCHEDULING_FLAGS: FlagGroup = {
  title: 'Scheduling, cache and shared memory',
  flags: [
    text(
      'rate-limit',
      'off|execution_count',
      'execution_count: an instance runs only while the resources of its rate_limiter are free; who has run least goes first.',
      { default: 'off' },
    ),
    text(
      'rate-limit-resource',
      'NAME:COUNT[:DEVICE]',
      'How much there is of a resource, on each device or on one; without any: as much as the neediest instance needs. May be repeated.',
      { repeatable: true },
    ),
    text(
      'cache-config',
      'CACHE,KEY=VALUE,…',
      'Response cache of models with response_cache { enable: true }: local,size=BYTES in this process, or redis,host=HOST,port=PORT[,username=…,password=…,db=N,ttl=SECONDS].',
      { repeatable: true },
    ),
    text(
      'response-cache-byte-size',
      'BYTES',
      'Deprecated: the same as --cache-config=local,size=BYTES.',
    ),
    boolean(
      'allow-client-shm',
      'Let clients pass tensors in shared memory of this machine.',
      'false',
    ),
  ],
};
