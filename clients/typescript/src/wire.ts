// `inferd-client/wire`: how calls and answers are written down, without a connection to send them over. For inferd's in-process API, so
// that the same values go in and come out there; may change with any version.

export { InferdError } from './inferd-error.js';
export type { InputSignatures } from './infer-message.js';
export { decode, encode } from './messages.js';
export { parameterMessages } from './parameter.js';
export { encodeInput, type EncodedTensor } from './tensor-input.js';
export { decodeOutput } from './tensor-output.js';
