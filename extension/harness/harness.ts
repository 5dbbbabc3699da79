// Runs the workbench's bundle in a plain page: the model's other end is a real widget in Python, reached over HTTP
// (tests/widgets/bridge.py). The page's address says what the session holds, for instance ?panel=evaluate&rows=10000.
type Callback = (...args: unknown[]) => void;

class PageModel {
  private readonly listeners = new Map<string, Set<Callback>>();
  private state: Record<string, unknown> = {};
  private sent = 0;

  constructor(private readonly id: string) {}

  async connect(): Promise<void> {
    const events = new EventSource(`/events?id=${this.id}`);
    // What comes while the first state is on its way is newer than that.
    const early: MessageEvent[] = [];
    events.onmessage = (event) => early.push(event);
    await new Promise((resolve) => {
      events.onopen = resolve;
    });
    this.state = await (await fetch(`/state?id=${this.id}`)).json();
    events.onmessage = (event) => this.received(JSON.parse(event.data as string));
    for (const event of early) this.received(JSON.parse(event.data as string));
  }

  private received(message: { method: string; state?: Record<string, unknown>; content?: unknown }) {
    if (message.method === "custom") this.tell("msg:custom", message.content, []);
    for (const [name, value] of Object.entries(message.state ?? {})) {
      this.state[name] = value;
      this.tell(`change:${name}`);
    }
  }

  private tell(event: string, ...args: unknown[]) {
    for (const callback of [...(this.listeners.get(event) ?? [])]) callback(...args);
  }

  get(name: string): unknown {
    return this.state[name];
  }

  on(event: string, callback: Callback): void {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(callback));
  }

  off(event: string, callback?: Callback | null): void {
    if (callback) this.listeners.get(event)?.delete(callback);
    else this.listeners.delete(event);
  }

  send(content: unknown): void {
    const body = JSON.stringify({ method: "custom", content });
    // Requests overtake one another, which messages on a kernel's line never do: their number says whose turn it is.
    void fetch(`/message?id=${this.id}&number=${this.sent}`, { method: "POST", body });
    this.sent += 1;
  }
}

const query = new URLSearchParams(location.search);
if (query.get("theme") === "dark") document.documentElement.classList.add("dark");
// As a front end does, which has the bundle before it has the state: both are fetched side by side.
const address = "/workbench.js";
const bundle = import(address) as Promise<{
  default: { render(given: { model: unknown; el: Element | null }): void };
}>;
const { id } = (await (await fetch(`/open${location.search}`)).json()) as { id: string };
const model = new PageModel(id);
await model.connect();
const { default: widget } = await bundle;
widget.render({ model, el: document.querySelector("#view") });
document.body.dataset.ready = "true";

export {};
