import type { Sql, TransactionSql } from "postgres";

/** The golden lists: what exists and may be used by our two roles, and nothing else (security.md T2, F2). */
export function lines(golden: string): string[] {
  return golden.split("\n").map((line) => line.trim().replace(/\s+/g, " ")).filter(Boolean).sort();
}

async function column(sql: Sql | TransactionSql, query: string): Promise<string[]> {
  const rows = await sql.unsafe<{ line: string }[]>(query);
  return rows.map(({ line }) => line).sort();
}

/** Table, role, what it may do; an update names its columns. Nobody else holds anything. */
export const tableGrants = `
  api_keys            mailpipe_tenant insert select
  api_keys            mailpipe_worker select(id,queue_cancelled)
  attachments         mailpipe_tenant insert select
  attachments         mailpipe_worker insert select
  attempts            mailpipe_tenant select
  attempts            mailpipe_worker insert select update(detail,duration_ms,finished_at,outcome,status_code)
  audit               mailpipe_tenant insert(action,actor_id,actor_kind,detail,environment,organization_id,subject_id) select
  audit               mailpipe_worker insert(action,actor_id,actor_kind,detail,environment,organization_id,subject_id)
  audit_seals         mailpipe_tenant select
  deletions           mailpipe_tenant insert select update(due_at,state,was_paused)
  deletions           mailpipe_worker delete select update(finished_at,removed,state,subject)
  deliveries          mailpipe_tenant insert select update(finished_at,state)
  deliveries          mailpipe_worker insert select update(attempts,failure,finished_at,state)
  early_events        mailpipe_worker delete insert select
  events              mailpipe_tenant insert select
  events              mailpipe_worker insert select update(body,thin_body)
  export_parts        mailpipe_tenant select
  export_parts        mailpipe_worker insert select
  exports             mailpipe_tenant insert select
  exports             mailpipe_worker delete select update(failed,finished_at)
  idempotency_records mailpipe_tenant insert select update(answer,expires_at,fingerprint)
  idempotency_records mailpipe_worker delete select
  inbound_requests    mailpipe_tenant insert select
  inbound_requests    mailpipe_worker select update(failure,message_ids,processed_at)
  invitations         mailpipe_tenant insert select update(withdrawn_at)
  jobs                mailpipe_tenant delete insert select update(attempts,due_at)
  jobs                mailpipe_worker delete insert select update(attempts,cursor,due_at,fence,lane,lease_until)
  key_usage           mailpipe_tenant select
  mailboxes           mailpipe_tenant delete insert select update(display_name,forward_to_webhook)
  mailboxes           mailpipe_worker select
  members             mailpipe_tenant delete select update(role)
  members             mailpipe_worker select
  messages            mailpipe_tenant insert select
  messages            mailpipe_worker insert select update(provider_message_id,rewritten_message_id,sent_at,status)
  organizations       mailpipe_tenant select update(attempts_retention_days,audit_retention_days,events_retention_days,messages_retention_days,name,raw_mail_retention_days,sending_paused)
  organizations       mailpipe_worker select
  providers           mailpipe_tenant insert select update(credentials,inbound_secret,inbound_token_hash,is_default,name,removed_at)
  providers           mailpipe_worker select
  recipients          mailpipe_tenant insert select
  recipients          mailpipe_worker insert select update(reason,status,updated_at)
  threads             mailpipe_tenant insert select update(last_message_at,message_count,participants)
  threads             mailpipe_worker insert select update(last_message_at,message_count,participants)
  webhook_endpoints   mailpipe_tenant insert select update(description,disabled_at,disabled_reason,enabled,events,failing_since,header_names,headers,max_concurrent,max_per_second,previous_secret,previous_secret_until,removed_at,resume_at,secret,slots,thin,url)
  webhook_endpoints   mailpipe_worker select update(failing_since,resume_at,slots)
`;

/** Each table and role of the database as a line of `tableGrants`. */
export function heldGrants(sql: Sql | TransactionSql): Promise<string[]> {
  return column(
    sql,
    `
    with held as (
      select relname, grantee, lower(privilege_type) as privilege, null as attname
      from pg_class
      cross join lateral aclexplode(relacl)
      where relnamespace = 'mailpipe'::regnamespace
        and grantee <> relowner
      union all
      select relname, grantee, lower(privilege_type), attname
      from pg_class
      join pg_attribute on attrelid = pg_class.oid
      cross join lateral aclexplode(attacl)
      where relnamespace = 'mailpipe'::regnamespace
    ),
    worded as (
      select
        relname, grantee,
        privilege || coalesce('(' || string_agg(attname, ',' order by attname) || ')', '') as privilege
      from held
      group by relname, grantee, privilege
    )
    select concat_ws(' ', relname, grantee::regrole, string_agg(privilege, ' ' order by privilege)) as line
    from worded
    group by relname, grantee
  `,
  );
}

/** Functions of the schema mailpipe by who may execute them; what is not here is the migrating role's alone. */
export const executables = {
  golden: `
  advance_export            worker
  advance_job               worker
  announce_received         worker
  apply_event               worker
  apply_or_keep_event       worker
  assert_another_owner      tenant
  assert_deletable          tenant
  assert_environment        tenant
  assert_may_rotate         tenant
  assert_none_pending       tenant
  assert_recipients         tenant
  assert_role               tenant
  assert_room_for_endpoint  tenant
  assert_scopes             tenant
  assert_sender             tenant
  assert_way_in             tenant
  assert_whole_organization tenant
  authenticate              tenant worker
  begin_deletion            tenant
  cancel_message            worker
  choose_provider           tenant
  claim_idempotency_key     tenant
  claim_jobs                worker
  claim_lane                worker
  claim_subject             worker
  claimed_export            worker
  clear_removed             tenant
  clear_removed_endpoints   worker
  clear_way                 tenant
  clock                     tenant worker
  copies_over               worker
  deletion_counts           tenant
  deletion_to_confirm       tenant
  deliveries_to_replay      worker
  delivery_attempts         tenant
  delivery_work             worker
  disable_endpoint          worker
  domain_of                 tenant
  drop_audit                worker
  due_since                 worker
  emit_event                tenant worker
  emit_to                   tenant worker
  end_keys                  tenant
  endpoint_backlog          tenant
  endpoint_rates            tenant
  endpoint_secrets          worker
  endpoints_in_turn         worker
  export_attachments        worker
  export_mail               worker
  export_manifest           worker
  export_page               worker
  export_progress           tenant worker
  export_tables             worker
  exported_message          worker
  exported_party            worker
  exported_rows             worker
  fence_child               tenant
  find_delivery             tenant
  find_enabled_endpoint     tenant
  find_endpoint             tenant
  find_leaked               tenant
  find_mailboxes            tenant
  find_provider             tenant
  find_thread               tenant worker
  finish_deliveries         worker
  finish_job                worker
  finish_tries              worker
  flush_usage               worker
  found_if_open             tenant
  gave_up                   worker
  groups_due                worker
  hand_out_to_owner         tenant
  has_failed_for_good       worker
  has_room                  worker
  hold_endpoint             worker
  hold_issuer               tenant
  hold_key                  tenant
  hurry_delivery            tenant worker
  idempotency_name          tenant
  inbound_work              worker
  insert_inbound            worker
  insert_outbound           tenant
  insert_parties            tenant worker
  inviter_may               tenant
  is_held                   worker
  is_live                   tenant
  is_removed                tenant
  is_stored                 worker
  join_by_invitation        tenant
  join_early_events         worker
  join_thread               tenant worker
  keep_attempts             worker
  keep_events               worker
  keep_messages             worker
  keep_raw_mail             worker
  keep_windows              worker
  keys_above                tenant
  keys_matching             tenant
  keys_taken                tenant
  known_request             tenant
  learn_functions_url       tenant
  learn_message_id          worker
  learn_pace                worker
  lease_jobs                worker
  left_out_of_exports       worker
  list_key                  tenant
  lock_endpoint             tenant
  lock_group                worker
  mail_size                 worker
  make_default              tenant
  may_read                  tenant
  member_email              tenant
  member_to_change          tenant
  message_attachments       tenant worker
  message_events            tenant
  message_facts             tenant worker
  message_recipients        tenant
  message_work              worker
  missing_files             worker
  names_in                  tenant
  new_id                    tenant worker
  next_attachments          worker
  next_second               worker
  next_stage                worker
  note_refusal              tenant
  orphan_objects            worker
  outgoing_message          worker
  page                      tenant worker
  parts_of                  worker
  path_step                 worker
  queue_figures             tenant worker
  queue_mail                tenant
  raise_recipients          worker
  read_cursor               tenant worker
  receipt_of                tenant
  recipient_objects         worker
  recipient_rank            worker
  record_acceptance         worker
  record_audit              tenant
  refresh_message_status    worker
  removable                 worker
  removable_of              worker
  remove_messages           worker
  replay_delivery           tenant worker
  requeue_recipients        worker
  reseal                    tenant
  revoke_at_home            tenant
  rewrap_oldest             worker
  rfc3339                   tenant worker
  role_scopes               tenant
  schema_version            tenant worker
  seal                      tenant
  seal_audit                worker
  show_address              tenant worker
  show_audit                tenant
  show_delivery             tenant
  show_endpoint             tenant
  show_event                tenant
  show_export               tenant worker
  show_fences               tenant
  show_invitation           tenant
  show_key                  tenant
  show_limits               tenant
  show_mailbox              tenant
  show_member               tenant
  show_message              tenant
  show_organization         tenant
  show_provider             tenant
  show_receipt              tenant
  show_recipients           tenant worker
  start_replay              tenant
  store_mail                worker
  subject_key               tenant worker
  take_deletion_step        worker
  take_for_organization     tenant
  take_tries                worker
  tell                      worker
  tell_export_ready         worker
  tell_keys_due             worker
  tell_of_key               tenant
  text_list                 tenant worker
  tries_allowed             worker
  tries_left                worker
  under_way                 worker
  unseal                    worker
  usage_of                  tenant
  verdict_of                tenant
  verify_own_audit          tenant
  with_changes              tenant
  with_delivery             worker
  with_descendants          tenant
  within_limit              tenant
  within_list               tenant
  within_ranges             tenant
  without_cancelled         worker
  `,
  read: (sql: Sql | TransactionSql) =>
    column(
      sql,
      `
      select concat_ws(' ', proname, string_agg(substr(grantee::regrole::text, 10), ' ' order by grantee::regrole::text)) as line
      from pg_proc
      cross join lateral aclexplode(proacl)
      where pronamespace = 'mailpipe'::regnamespace
        and grantee <> proowner
      group by proname
    `,
    ),
};

/** Functions that run as the migrating role, which bypasses row-level security: each one is a door to look at. */
export const definers = {
  golden: `
  assert_session
  assert_way_in
  attempts_over
  authenticate
  clear_endpoint
  clear_removed
  clear_removed_endpoints
  connection_caller
  copies_over
  create_data_key
  create_organization
  deletion_counts
  disable_endpoint
  drop_audit
  end_keys
  events_over
  export_page
  find_leaked
  flush_usage
  found_if_open
  found_organization
  hand_out_to_owner
  hold_issuer
  hold_key
  is_stored
  join_by_invitation
  keep_attempts
  keep_events
  keep_messages
  keep_raw_mail
  keep_windows
  keys_due
  learn_functions_url
  lines_hash
  master_key
  member_email
  messages_over
  next_second
  note_refusal
  orphan_objects
  ranges_over
  raw_mail_over
  receipt_of
  recover_windows
  removable
  remove_messages
  reseal
  revoke_at_home
  rewrap_oldest
  row_key
  seal
  seal_audit
  session_caller
  set_tier
  take_deletion_step
  take_for_organization
  take_tries
  tell_keys_due
  tries_left
  unreferenced
  unseal
  unsealed_organizations
  untold_organizations
  upkeep_due
  usage_of
  verdict_of
  verify_audit
  verify_own_audit
  wake
  wake_maintenance
  wake_workers
  worker_caller
  `,
  read: (sql: Sql | TransactionSql) =>
    column(
      sql,
      `select proname as line from pg_proc where pronamespace = 'mailpipe'::regnamespace and prosecdef`,
    ),
};
