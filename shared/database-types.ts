// Generated from the migrations by supabase/local/database-types.ts. Do not edit.
// deno-fmt-ignore-file
// deno-lint-ignore-file
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {

  "mailpipe_api": {
          Tables: {
            [_ in never]: never
          }
          Views: {
            [_ in never]: never
          }
          Functions: {
            "accept_invitation":
{ Args: { "p_caller": Json,"p_token_hash": string }; Returns: Json
                           },
"ask_deletion":
{ Args: { "p_caller": Json,"p_confirm_hash": string,"p_request": Json }; Returns: Json
                           },
"authorize":
{ Args: { "p_caller": Json,"p_environment": string,"p_need": string }; Returns: Json
                           },
"authorize_send":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"begin_attempt":
{ Args: { "p_caller": Json,"p_fence": number,"p_job_id": string }; Returns: Json
                           },
"claim_data_jobs":
{ Args: { "p_caller": Json }; Returns: Json
                           },
"claim_inbound":
{ Args: { "p_caller": Json,"p_limit": number }; Returns: Json
                           },
"claim_messages":
{ Args: { "p_caller": Json,"p_limit": number,"p_message_id": string }; Returns: Json
                           },
"confirm_deletion":
{ Args: { "p_caller": Json,"p_confirm_hash": string,"p_request": Json }; Returns: Json
                           },
"create_invitation":
{ Args: { "p_caller": Json,"p_request": Json,"p_token_hash": string }; Returns: Json
                           },
"create_mailbox":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"create_organization":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"create_provider":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"create_webhook":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"delete_mailbox":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"delete_provider":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"delete_step":
{ Args: { "p_caller": Json,"p_fence": number,"p_found": Json,"p_job_id": string,"p_removed": Json }; Returns: Json
                           },
"delete_webhook":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"exchange_deliveries":
{ Args: { "p_caller": Json,"p_first": number,"p_results": Json,"p_retry": number }; Returns: Json
                           },
"finish_export_step":
{ Args: { "p_after": Json,"p_caller": Json,"p_fence": number,"p_job_id": string,"p_part": Json }; Returns: Json
                           },
"finish_inbound":
{ Args: { "p_caller": Json,"p_fence": number,"p_job_id": string,"p_result": Json }; Returns: Json
                           },
"finish_message":
{ Args: { "p_caller": Json,"p_fence": number,"p_job_id": string,"p_result": Json }; Returns: Json
                           },
"get_deletion":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"get_delivery":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"get_event":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"get_export":
{ Args: { "p_caller": Json,"p_id": string,"p_request": Json }; Returns: Json
                           },
"get_mailbox":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"get_message":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"get_provider":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"get_receipt":
{ Args: { "p_caller": Json,"p_confirm_hash": string }; Returns: Json
                           },
"get_verdict":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"get_webhook":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"health":
{ Args: { "p_caller": Json,"p_functions_url": string }; Returns: Json
                           },
"issue_key":
{ Args: { "p_caller": Json,"p_hash": string,"p_last_four": string,"p_request": Json }; Returns: Json
                           },
"list_audit":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_deliveries":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_events":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_invitations":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_keys":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_mailboxes":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_members":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_messages":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_organizations":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_orphan_objects":
{ Args: { "p_caller": Json }; Returns: Json
                           },
"list_providers":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"list_webhooks":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"open_connection":
{ Args: { "p_caller": Json,"p_kind": string }; Returns: Json
                           },
"read_export_step":
{ Args: { "p_caller": Json,"p_fence": number,"p_job_id": string }; Returns: Json
                           },
"record_refusal":
{ Args: { "p_caller": Json,"p_refusal": Json }; Returns: Json
                           },
"remove_member":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"replay_deliveries":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"replay_step":
{ Args: { "p_caller": Json,"p_fence": number,"p_job_id": string }; Returns: Json
                           },
"report_leaked_keys":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"revoke_key":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"revoke_keys":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"rewrap_data_keys":
{ Args: { "p_caller": Json,"p_fence": number,"p_job_id": string }; Returns: Json
                           },
"rotate_key":
{ Args: { "p_caller": Json,"p_hash": string,"p_last_four": string,"p_request": Json }; Returns: Json
                           },
"rotate_webhook_secret":
{ Args: { "p_caller": Json,"p_id": string,"p_request": Json }; Returns: Json
                           },
"run_maintenance":
{ Args: { "p_caller": Json }; Returns: Json
                           },
"send_mail":
{ Args: { "p_caller": Json,"p_idempotency_key": string,"p_request": Json }; Returns: Json
                           },
"start_export":
{ Args: { "p_caller": Json }; Returns: Json
                           },
"store_event_bodies":
{ Args: { "p_bodies": Json,"p_caller": Json }; Returns: Json
                           },
"store_inbound_request":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"take_out_master_key":
{ Args: { "p_caller": Json,"p_passphrase": string }; Returns: Json
                           },
"tenant_health":
{ Args: { "p_caller": Json }; Returns: Json
                           },
"test_webhook":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"transfer_ownership":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"undo_deletion":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"update_mailbox":
{ Args: { "p_caller": Json,"p_id": string,"p_request": Json }; Returns: Json
                           },
"update_member":
{ Args: { "p_caller": Json,"p_id": string,"p_request": Json }; Returns: Json
                           },
"update_organization":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"update_provider":
{ Args: { "p_caller": Json,"p_id": string,"p_request": Json }; Returns: Json
                           },
"update_webhook":
{ Args: { "p_caller": Json,"p_id": string,"p_request": Json }; Returns: Json
                           },
"verify_audit":
{ Args: { "p_caller": Json,"p_head": string }; Returns: Json
                           },
"webhook_stats":
{ Args: { "p_caller": Json,"p_request": Json }; Returns: Json
                           },
"whoami":
{ Args: { "p_caller": Json }; Returns: Json
                           },
"withdraw_invitation":
{ Args: { "p_caller": Json,"p_id": string }; Returns: Json
                           },
"worker_health":
{ Args: { "p_caller": Json }; Returns: Json
                           }
          }
          Enums: {
            [_ in never]: never
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "mailpipe_api">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "mailpipe_api": {
          Enums: {

          }
        }
} as const
