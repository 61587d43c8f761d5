// PORT: which requests are traced, for all models and for single ones, as it can be changed while the server runs.

export interface TraceSettings {
  readonly isOn: boolean;
  /** Of the requests whose callers are not traced, one in so many is; 0: none. */
  readonly rate: number;
  /** How many more requests are traced; -1: no limit. */
  readonly count: number;
  /** Shown as it was set; without effect. */
  readonly logFrequency: number;
}

/** Null: the model has none of its own any more; for all models: as at the start. */
export type TraceChanges = { readonly [Key in keyof TraceSettings]?: TraceSettings[Key] | null };

/** '' as a model stands for all that have no setting of their own. */
export interface TraceControl {
  settings(model: string): TraceSettings;
  change(model: string, changes: TraceChanges): void;
}
