// One HTTP request of a scenario, and what is compared of its answer.

import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import type { JsonObject } from './json.js';
import { pattern } from './rules.js';

export interface HttpRequest {
  readonly path: string;
  /** Of the metrics, or of everything else. */
  readonly port?: 'metrics' | 'http';
  /** Compare the lines this matches, sorted, instead of the body. */
  readonly lines?: string;
  /** false: compare the status alone. */
  readonly body?: boolean;
}

const LIMIT_MS = 10_000;

/** A server that cannot be reached has status 0. */
export async function httpGet(
  port: number,
  { path, lines, body = true }: HttpRequest,
): Promise<JsonObject> {
  let answer;
  try {
    answer = await fetchText(port, path);
  } catch (error) {
    return { status: 0, error: error instanceof Error ? error.message : String(error) };
  }
  const { status } = answer;
  if (lines !== undefined) {
    const matching = answer.text.split(/\r?\n/).filter((line) => pattern(lines).test(line));
    return { status, lines: matching.sort() };
  }
  return body ? { status, body: answer.text } : { status };
}

function fetchText(port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: false, timeout: LIMIT_MS };
    const request = get(options, (response) => {
      const status = response.statusCode ?? 0;
      text(response).then((body) => resolve({ status, text: body }), reject);
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('timed out')));
  });
}
