import { ok } from "../../shared/answers.ts";
import { connectionCaller } from "../../shared/credentials.ts";
import { ApiError } from "../../shared/errors.ts";
import type { ConnectionSecrets } from "../../shared/inbound/contract.ts";
import { inboundKind } from "../../shared/inbound/registry.ts";
import { mediaType } from "../../shared/request-body.ts";
import { route } from "../../shared/route.ts";
import { ReceivedRequest } from "../../shared/schemas/inbound.ts";
import { serve } from "../../shared/serve.ts";
import { storeBytes, type Tenant } from "../../shared/storage.ts";
import { storedHeaders } from "../../shared/stored-headers.ts";
import { wake } from "../../shared/wake.ts";

/** Takes a provider's request. A 2xx means its raw bytes are stored; what they say is worked out as a job. */
export default serve("receive-webhook", {
  "POST /:kind/:token": route({
    summary: "Receives events and mail from a connected provider",
    access: { connection: true },
    raw: true,
    cap: 40 * 1024 * 1024,
    answer: ReceivedRequest,
    status: 200,
    async run({ request, params, body, call }) {
      const kind = inboundKind(params["kind"] ?? "");
      if (kind === null) throw new ApiError("not_found", "no such kind of connection");
      if (kind.kind === "mime" && mediaType(request) !== "message/rfc822") {
        throw new ApiError("unsupported_media_type", "send message/rfc822");
      }
      const caller = connectionCaller(params["token"] ?? "");
      const opened = await call("open_connection", { p_caller: caller, p_kind: kind.kind });

      const headers = storedHeaders(request.headers);
      const secrets = opened as unknown as ConnectionSecrets & Tenant;
      const verified = kind.verify({ headers, body }, secrets, new Date());
      if (verified === null) throw new ApiError("invalid_credential");

      const { key, size_bytes } = await storeBytes(secrets, body);
      const { id } = await call("store_inbound_request", {
        p_caller: caller,
        p_request: { kind: kind.kind, event_key: verified.event_key, headers, storage_key: key, size_bytes },
      });
      wake("process-inbound");
      return ok({ id });
    },
  }),
});
