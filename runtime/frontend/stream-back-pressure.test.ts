import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { aMessage } from '../testing/ask-model.js';
import { aTensor } from '../testing/build.js';
import { openStream, storyOf, type OpenStream } from '../testing/open-stream.js';
import { GRPC } from './grpc-status.js';

const LARGE = Array<number>(100_000).fill(1);

function ask({ call }: OpenStream, ...ids: string[]): void {
  for (const id of ids) call.write(aMessage({ id }));
}

/** A caller who has read one answer, and three of 400 kB that wait. */
function withSlowReader(): OpenStream {
  const stream = openStream();
  stream.call.readsSlowly = true;
  ask(stream, 'a', 'b', 'c', 'd');
  for (const id of ['a', 'b', 'c', 'd']) stream.model.at(id).answer(LARGE);
  return stream;
}

describe('a stream whose caller reads slowly', () => {
  it('sends no more than the caller takes', () => {
    const stream = withSlowReader();
    expect(storyOf(stream)).toEqual(['a']);

    stream.call.drain();
    expect(storyOf(stream)).toEqual(['a', 'b']);
    stream.call.readsSlowly = false;
    stream.call.drain();

    expect(storyOf(stream)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is not read while too much waits', () => {
    const stream = withSlowReader();
    ask(stream, 'e');
    expect([stream.call.paused, stream.model.asked.length]).toEqual([true, 4]);

    stream.call.drain();

    expect([stream.call.paused, stream.model.asked.length]).toEqual([false, 5]);
  });

  it('is slowed down by many small answers, too', () => {
    const stream = openStream();
    stream.call.readsSlowly = true;
    for (let sent = 0; sent < 10_000; sent++) {
      ask(stream, String(sent));
      stream.model.asked.at(-1)!.end(new RuntimeError('QUEUE_FULL', 'full'));
      if (stream.call.paused) break;
    }

    expect(stream.call.paused).toBe(true);
    expect(stream.model.asked.length).toBeLessThan(5_000);
  });

  it('is read as ever while answers only come late', () => {
    const stream = openStream();
    ask(stream, ...Array.from({ length: 3_000 }, (_, index) => String(index)));

    expect([stream.call.paused, stream.model.asked.length]).toEqual([false, 3_000]);
  });

  it('ends when everything has been read', () => {
    const stream = openStream();
    stream.call.readsSlowly = true;
    ask(stream, 'a', 'b');
    stream.call.halfClose();
    stream.model.at('a').answer();
    stream.model.at('b').answer();
    expect([storyOf(stream), stream.call.finished]).toEqual([['a'], false]);

    stream.call.drain();

    expect([storyOf(stream), stream.call.finished]).toEqual([['a', 'b'], true]);
  });

  it('is sent what it waits for before the server ends', () => {
    const stream = withSlowReader();

    stream.health.endStreams();
    expect(stream.call.failures).toEqual([]);
    stream.call.readsSlowly = false;
    stream.call.drain();

    expect(storyOf(stream)).toEqual(['a', 'b', 'c', 'd']);
    expect(stream.call.failures.map(({ code }) => code)).toEqual([GRPC.UNAVAILABLE]);
  });

  it('drops what waits when the caller goes', () => {
    const stream = withSlowReader();

    stream.call.cancel();
    stream.call.drain();

    expect([storyOf(stream), stream.call.failures]).toEqual([['a'], []]);
  });

  it('holds back the responses of a decoupled model, too', () => {
    const stream = openStream();
    stream.call.readsSlowly = true;
    stream.call.write(aMessage({ id: 'd', model_name: 'many' }));
    const asking = stream.decoupled.at('d');
    for (let sent = 0; sent < 4; sent++)
      asking.respond(aTensor('OUTPUT0', [1, LARGE.length], LARGE));
    expect([storyOf(stream), stream.call.paused]).toEqual([['d…'], true]);

    stream.call.readsSlowly = false;
    stream.call.drain();

    expect([storyOf(stream).length, stream.call.paused]).toEqual([4, false]);
  });
});

describe('a stream with very much under way', () => {
  it('is not read while it waits for its turn with more than may wait', () => {
    const stream = openStream();
    ask(stream, 'a', 'b', 'c', 'd');
    for (const id of ['b', 'c', 'd']) stream.model.at(id).answer(LARGE);
    expect([storyOf(stream), stream.call.paused]).toEqual([[], true]);

    stream.model.at('a').answer();

    expect([storyOf(stream), stream.call.paused]).toEqual([['a', 'b', 'c', 'd'], false]);
  });

  it('is not read until a large request has been answered', () => {
    const stream = openStream();
    const data = Buffer.alloc(65 * 2 ** 20);
    stream.call.write(aMessage({ id: 'a', raw_input_contents: [data] }));
    expect(stream.call.paused).toBe(true);

    stream.model.at('a').answer();

    expect(stream.call.paused).toBe(false);
  });

  it('is not read while requests without end are under way', () => {
    const stream = openStream();
    for (let sent = 0; sent < 20_000 && !stream.call.paused; sent++) ask(stream, String(sent));

    expect(stream.call.paused).toBe(true);
    expect(stream.model.asked.length).toBeGreaterThan(10_000);
  });
});
