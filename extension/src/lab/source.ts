// Asks pressmark.sidepanel in the Jupyter server; the registry and its token are behind it.

import { ServerConnection } from "@jupyterlab/services";
import type { Answer, Fault, History } from "./model";

/** What went wrong, for the panel to show. */
export class SourceError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

export class Source {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  async state(position: string): Promise<Answer> {
    try {
      const response = await this.ask("registry", position ? { seen: position } : {});
      if (response.ok) return (await response.json()) as Answer;
      return { state: "away", where: "", ...refusal(response.status) };
    } catch {
      return {
        state: "away",
        where: "",
        message: "The Jupyter server does not answer",
        hint: "Start JupyterLab again, or wait until it is back; the panel goes on by itself",
      };
    }
  }

  async versions(name: string): Promise<History> {
    const response = await this.ask("versions", { name });
    const told = (await response.json().catch(() => ({}))) as { error?: Fault };
    if (!response.ok) throw new SourceError(told.error ?? refusal(response.status));
    return told as unknown as History;
  }

  private ask(what: string, query: Record<string, string>): Promise<Response> {
    const url = `${this.settings.baseUrl}pressmark/api/${what}?${new URLSearchParams(query)}`;
    return ServerConnection.makeRequest(url, { cache: "no-store" }, this.settings);
  }
}

function refusal(status: number): Fault {
  if (status === 404)
    return {
      message: "The Jupyter server lacks the panel's half",
      hint: "Run jupyter server extension enable pressmark.sidepanel, then start JupyterLab again",
    };
  if (status === 401 || status === 403)
    return {
      message: "Jupyter does not know this page any more",
      hint: "Reload the page and log in to Jupyter again",
    };
  return {
    message: `The Jupyter server failed at it (${status})`,
    hint: "Its log says why; the panel asks again by itself",
  };
}
