// What a benchmark is to show, and whether this run has shown it.

export interface Claim {
  readonly text: string;
  readonly holds: boolean;
}

export function atMost(what: string, value: number, most: number): Claim {
  // A figure that is missing shows nothing.
  return { text: `${what}: ${shortNumber(value)}, at most ${most} wanted`, holds: value <= most };
}

export function atLeast(what: string, value: number, least: number): Claim {
  return {
    text: `${what}: ${shortNumber(value)}, at least ${least} wanted`,
    holds: value >= least,
  };
}

export function claimText({ text, holds }: Claim): string {
  return `${text}: ${holds ? 'met' : 'missed'}`;
}

/** Three digits, and whole numbers whole. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100)
    return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}
