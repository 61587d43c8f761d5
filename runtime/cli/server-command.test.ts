import { describe, expect, it } from 'vitest';
import { newCommand } from './server-command.js';

describe('the help of a command', () => {
  it('breaks its sentences where the terminal ends, and its examples nowhere', () => {
    const command = newCommand('x').description(
      'One two three four\nfive six seven eight nine ten.\n\n  inferd x 1\n  inferd x 2\n\nSeven.',
    );

    const narrow = command.configureOutput({ getOutHelpWidth: () => 44 }).helpInformation();
    const wide = command.configureOutput({ getOutHelpWidth: () => 90 }).helpInformation();

    expect(narrow).toContain(
      'One two three four five six seven eight nine\nten.\n\n  inferd x 1\n  inferd x 2\n\nSeven.',
    );
    expect(wide).toContain('One two three four five six seven eight nine ten.\n\n  inferd x 1');
  });
});
