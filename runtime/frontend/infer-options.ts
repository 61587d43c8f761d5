// What a caller in this process may say beside the inputs.

import type { InferOptions as ClientOptions } from 'inferd-client';
import type { InputSignatures } from 'inferd-client/wire';

/**
 * As the client's. `deadlineMs`: the request fails with DEADLINE_EXCEEDED after that time [no deadline]. `signal`: it fails with
 * CANCELLED when aborted. `metadata`: headers as a caller over gRPC would send them, such as traceparent.
 */
export type InferOptions = Omit<ClientOptions, 'address'>;

/** What `typedModel` knows of the inputs beforehand. */
export interface Signatures {
  readonly signatures?: InputSignatures;
}
