import { beforeEach, describe, expect, it, vi } from 'vitest';
import { silentObserver } from '../testing/model-directory.js';
import { settle } from '../testing/gated-loads.js';
import { ModelFinder } from './model-finder.js';
import type { ModelDirectory, RepositoryListing } from './model-source.js';

const there: ModelDirectory = { name: 'm', path: '/r/m' };

/** Looks that are under way, in the order in which they began; the test says what they see, and when. */
let listings: ((seen: RepositoryListing) => void)[];
let looks: ((seen: readonly ModelDirectory[]) => void)[];

vi.mock('./model-source.js', () => ({
  listRepositories: () => new Promise<RepositoryListing>((resolve) => void listings.push(resolve)),
  findModel: () => new Promise<readonly ModelDirectory[]>((resolve) => void looks.push(resolve)),
}));

const everything = new Map([['m', [there]]]);
const nothing = new Map<string, ModelDirectory[]>();

beforeEach(() => {
  listings = [];
  looks = [];
});

function aFinder(): ModelFinder {
  return new ModelFinder({ repositories: ['/r'], hasGpu: false }, silentObserver);
}

describe('ModelFinder', () => {
  it.each([
    ['is gone since', everything, []],
    ['has come since', nothing, [there]],
  ])(
    'knows that a model %s, whatever an older look at everything has seen',
    async (...[, seen, now]) => {
      const finder = aFinder();
      const listed = finder.list();
      const found = finder.find('m');
      looks[0]!(now);
      await found;
      listings[0]!(seen);
      await listed;

      expect(finder.isListed('m')).toBe(now.length > 0);
    },
  );

  it('takes from a look at everything what no later look at one model says', async () => {
    const finder = aFinder();
    const found = finder.find('m');
    const listed = finder.list();
    listings[0]!(everything);
    await listed;
    looks[0]!([]);
    await found;

    expect(finder.isListed('m')).toBe(true);
  });

  it('keeps to the look at everything that began last', async () => {
    const finder = aFinder();
    const [older, newer] = [finder.list(), finder.list()];
    listings[1]!(everything);
    await newer;
    listings[0]!(nothing);
    await older;
    await settle();

    expect(finder.isListed('m')).toBe(true);
  });
});
