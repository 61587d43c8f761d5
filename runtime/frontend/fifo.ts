// First in, first out, at a constant price per item however long the line is.

/** Taken items that an array may carry before they are cut off. */
const MOST_TAKEN = 1024;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #taken = 0;

  get isEmpty(): boolean {
    return this.#taken === this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The oldest, which stays; undefined when there is none. */
  peek(): T | undefined {
    return this.#items[this.#taken];
  }

  /** The oldest goes. */
  shift(): T | undefined {
    if (this.isEmpty) return undefined;
    const item = this.#items[this.#taken];
    this.#items[this.#taken++] = undefined;
    if (this.#taken === this.#items.length) this.clear();
    else if (this.#taken >= MOST_TAKEN && this.#taken * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  /** The youngest goes again, if it is that one. */
  takeBack(item: T): void {
    if (this.isEmpty || this.#items.at(-1) !== item) return;
    this.#items.pop();
    if (this.#taken === this.#items.length) this.clear();
  }

  clear(): void {
    this.#items = [];
    this.#taken = 0;
  }
}
