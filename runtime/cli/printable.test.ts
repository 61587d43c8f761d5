import { describe, expect, it } from 'vitest';
import { printable } from './printable.js';

describe('printable', () => {
  it('leaves text as it is, in whatever language', () => {
    expect(printable('größer → 模型\nnext line')).toBe('größer → 模型\nnext line');
  });

  it('shows what would steer a terminal', () => {
    expect(printable('\u001b[2Jgone\u0007\u009b1m\t')).toBe('\\x1b[2Jgone\\x07\\x9b1m\\x09');
  });
});
