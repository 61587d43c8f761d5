// The groups of calls that --grpc-restricted-protocol can restrict; names are Triton's.

export const PROTOCOL_CATEGORIES = [
  'health',
  'metadata',
  'inference',
  'shared-memory',
  'model-config',
  'model-repository',
  'statistics',
  'trace',
  'logging',
] as const;

export type ProtocolCategory = (typeof PROTOCOL_CATEGORIES)[number];
