// A family of metrics: a name with a meaning, and the samples that one source of it gives. What is shown is computed when it is
// asked for. Text format: https://prometheus.io/docs/instrumenting/exposition_formats/

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

export interface MetricFamily<Source> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly write: (samples: SampleWriter, source: Source) => void;
}

/** Writes the samples of one family; every sample has the labels of the source and perhaps one more. */
export class SampleWriter {
  #text = '';
  #name = '';
  #before = '';
  #after = '';

  begin({ name, help, type }: Pick<MetricFamily<never>, 'name' | 'help' | 'type'>): void {
    this.#name = name;
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  /** The labels that follow samples have; from here on. */
  labels({ before, after }: LabelText): void {
    this.#before = before;
    this.#after = after;
  }

  sample(value: number, label = ''): void {
    this.#write(this.#name, label, value);
  }

  /** Of a histogram or summary, whose samples have names of their own. */
  part(suffix: '_bucket' | '_sum' | '_count', value: number, label = ''): void {
    this.#write(this.#name + suffix, label, value);
  }

  /** What has been written since the last time, as UTF-8: outside the heap, where it is no work for the garbage collector. */
  take(): Buffer {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    return bytes;
  }

  #write(name: string, label: string, value: number): void {
    this.#text += `${name}{${this.#before}${label}${this.#after}} ${formatted(value)}\n`;
  }
}

/** Labels ready to be written, with room in the middle for one more: `model="m"` and `,version="1"`. */
export interface LabelText {
  readonly before: string;
  readonly after: string;
}

export function labelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}

function formatted(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
