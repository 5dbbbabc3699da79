// Keeps what the panel shows up to date while it is in sight.

import { type Answer, NOTHING, type Sight, seen } from "./model";

export class Following {
  sight: Sight = NOTHING;
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private asking: Promise<void> | null = null;

  /**
   * @param ask Asks for the state; never rejects.
   * @param seconds How long to wait between two answers.
   */
  constructor(
    private readonly ask: (position: string) => Promise<Answer>,
    private seconds = 5,
  ) {}

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    this.running = true;
    void this.look();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  every(seconds: number): void {
    this.seconds = seconds;
    if (this.running) this.plan();
  }

  /** Asks now; one question at a time. */
  look(): Promise<void> {
    clearTimeout(this.timer);
    this.asking ??= this.once().finally(() => {
      this.asking = null;
      if (this.running) this.plan();
    });
    return this.asking;
  }

  private async once(): Promise<void> {
    const before = this.sight;
    const answer = await this.ask(before.prompts ? before.position : "");
    this.sight = seen(before, answer, new Date().toISOString());
    for (const listener of this.listeners) listener();
  }

  private plan(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), this.seconds * 1000);
  }
}
