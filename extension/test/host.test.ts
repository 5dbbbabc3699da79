import { expect, it } from "vitest";
import { CommandError, hostOf, type WidgetModel } from "../src/host";

it("tells that the kernel is gone where its line takes nothing any more", async () => {
  const model: WidgetModel = {
    get: () => undefined,
    on: () => undefined,
    off: () => undefined,
    send: () => {
      throw new Error("Cannot send");
    },
  };
  const host = hostOf(model);
  let told = 0;
  host.watchSilence(() => {
    told += 1;
  });
  const refused = await host.call("refresh_registry", {}).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CommandError);
  expect((refused as CommandError).told.kind).toBe("kernel");
  expect(host.silent).toBe(true);
  expect(told).toBe(1);
  host.close();
});
