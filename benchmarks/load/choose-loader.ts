// h2load where it is installed, else our own loader.

import { h2load } from './h2load.js';
import type { Loader } from './load.js';
import { ownLoad } from './own-load.js';

/** @throws Error when h2load is asked for and not installed */
export async function chooseLoader(wanted: 'h2load' | 'own' | undefined): Promise<Loader> {
  if (wanted === 'own') return ownLoad;
  const found = await h2load();
  if (!found && wanted) throw new Error('h2load is not installed (package nghttp2-client)');
  return found ?? ownLoad;
}
