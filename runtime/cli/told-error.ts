// What went wrong with a call, in one line that says what to do next.

import type { InferdError } from 'inferd-client';
import { printable } from './printable.js';

/** grpc-js' words for a server that could not be reached. */
const NOT_THERE =
  /^(?:No connection established\. Last error: (?:Error: )?|the connection was lost: )?(.*?)\.?$/s;
const NO_CONNECTION =
  /^No connection established|^Name resolution failed|^the connection was lost|ECONNREFUSED/;

export function isNotThere({ code, details }: InferdError): boolean {
  return code === 'UNAVAILABLE' && NO_CONNECTION.test(details);
}

/** On one line. */
export function toldError(error: InferdError): string {
  const { code, details, address = '' } = error;
  if (isNotThere(error)) {
    const reason = NOT_THERE.exec(details)?.[1] ?? details;
    return `no server answers at ${address} (${reason}). Start one with inferd --model-repository=DIR, or name another with --url HOST:PORT`;
  }
  if (code === 'DEADLINE_EXCEEDED') return `${address} has not answered in time`;
  if (code === 'UNIMPLEMENTED' && details.includes('HTTP status'))
    return `what listens at ${address} is no gRPC server (${details}). inferd listens for gRPC on port 8001`;
  if (details.includes('explicit model load / unload is not allowed'))
    return `${oneLine(details)}. Start the server with --model-control-mode=explicit to load and unload models`;
  return oneLine(error.message);
}

export function oneLine(text: string): string {
  return printable(text.trim().replace(/\s*\n\s*/g, ' '));
}
