import { afterEach, describe, expect, test, vi } from "vitest";
import { decodeAttachments, storeAttachments } from "../../shared/attachments.ts";
import { sendBounds, type SendMail } from "../../shared/schemas/send-mail.ts";
import { sha256Hex } from "../../shared/storage.ts";
import { answerJson, startStandIn } from "../support/stand-in.ts";

const tenant = { organization_id: "org_01JDPZ00000000000000000000", environment: "test" };
const tooLarge = expect.objectContaining({ code: "payload_too_large" });

function file(bytes: Uint8Array): SendMail["attachments"][number] {
  const content = Buffer.from(bytes).toString("base64");
  return { filename: "a.bin", content, content_type: "application/pdf", content_id: "logo" };
}

afterEach(() => vi.unstubAllEnvs());

describe("attachments", () => {
  test("are decoded to their bytes, with size and hash beside them", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const [decoded] = decodeAttachments([file(bytes)]);
    expect([...decoded?.bytes ?? []]).toEqual([...bytes]);
    expect(decoded?.facts).toEqual({
      filename: "a.bin",
      content_type: "application/pdf",
      content_id: "logo",
      size_bytes: 256,
      sha256: sha256Hex(bytes),
    });
    expect(decoded?.facts).not.toHaveProperty("content");
  });

  test("of exactly 25 MiB together are taken, of one byte more refused", () => {
    const half = file(new Uint8Array(sendBounds.attachmentBytes / 2));
    expect(decodeAttachments([half, half])).toHaveLength(2);
    expect(() => decodeAttachments([half, half, file(new Uint8Array(1))])).toThrow(tooLarge);
    expect(() => decodeAttachments([half, file(new Uint8Array(sendBounds.attachmentBytes / 2 + 1))])).toThrow(
      tooLarge,
    );
  });

  test("far over the cap are refused before any is decoded", () => {
    const decode = vi.spyOn(Buffer, "from");
    const content = "A".repeat(sendBounds.attachmentBytes);
    const many = [{ ...file(Uint8Array.of(1)), content }, { ...file(Uint8Array.of(1)), content }];
    decode.mockClear();
    expect(() => decodeAttachments(many)).toThrow(tooLarge);
    expect(decode).not.toHaveBeenCalled();
    decode.mockRestore();
  });

  test("are stored one after another: memory holds one copy", async () => {
    let [open, most] = [0, 0];
    const storage = await startStandIn((_, response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        answerJson(response, 200, { Id: "1", Key: "k" });
      });
    });
    vi.stubEnv("SUPABASE_URL", storage.url);
    vi.stubEnv("SUPABASE_SECRET_KEYS", '{"default":"sb_secret_test"}');
    const decoded = decodeAttachments([1, 2, 3].map((value) => file(Uint8Array.of(value))));
    await storeAttachments(tenant, decoded);
    expect(most).toBe(1);
    expect(storage.calls.map(({ path }) => path)).toEqual(
      decoded.map(({ facts }) =>
        `/storage/v1/object/mailpipe/${tenant.organization_id}/test/${facts.sha256}`
      ),
    );
    await storage.close();
  });
});
