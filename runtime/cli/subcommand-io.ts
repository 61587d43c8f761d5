// What a subcommand sees of the process, and so what a test stands in for.

export interface SubcommandIo {
  write(text: string): void;
  writeError(text: string): void;
  writeFile(path: string, text: string): Promise<void>;
}
