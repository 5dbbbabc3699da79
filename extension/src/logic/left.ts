// What a page could not hand over, kept in the browser until it could: a kernel that dies in mid-edit loses nothing.
import type { UnitBody } from "../model";

export interface Left {
  body: UnitBody;
  base: string | null;
  at: string;
}

const key = (place: string, name: string) => `pressmark draft ${place} ${name}`;

export function keep(place: string, name: string, left: Left): void {
  try {
    localStorage.setItem(key(place, name), JSON.stringify(left));
  } catch {
    // Full or forbidden: then the kernel is the only place, as it was before.
  }
}

export function forget(place: string, name: string): void {
  try {
    localStorage.removeItem(key(place, name));
  } catch {
    // Forbidden: then nothing was kept.
  }
}

export function left(place: string, name: string): Left | null {
  try {
    const text = localStorage.getItem(key(place, name));
    return text ? (JSON.parse(text) as Left) : null;
  } catch {
    return null;
  }
}
