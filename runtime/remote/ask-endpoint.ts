// Calls that are not hot, as promises.

import { WireWriter, delimitedSize } from '../wire/wire-writer.js';
import type { CallStatus, EndpointConnection } from './endpoint-connection.js';

export class CallFailed extends Error {
  readonly status: CallStatus;

  constructor(status: CallStatus) {
    super(status.details);
    this.status = status;
  }
}

/** @throws CallFailed */
export function askEndpoint(
  connection: EndpointConnection,
  call: { readonly method: string; readonly message: Buffer; readonly timeoutMs: number },
): Promise<Buffer> {
  const { method, message, timeoutMs } = call;
  const path = `/inference.GRPCInferenceService/${method}`;
  return new Promise((resolve, reject) => {
    connection.unary(
      { path, message, timeoutMs },
      { answered: resolve, failed: (status) => reject(new CallFailed(status)) },
    );
  });
}

/** ModelMetadataRequest and ModelConfigRequest: name 1, version 2. */
export function modelRequest({ name, version }: { name: string; version: string }): Buffer {
  const fields = [name, version].map((text) => Buffer.from(text));
  const writer = new WireWriter(fields.reduce((sum, { length }) => sum + delimitedSize(length), 0));
  fields.forEach((bytes, i) => writer.bytes(i + 1, bytes));
  return writer.buffer;
}
