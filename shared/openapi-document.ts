// Generated from the functions' schemas by tests/check/openapi-document.ts. Do not edit.
// deno-fmt-ignore-file

/** The OpenAPI 3.1 document of this API. */
export const openApiDocument: Record<string, unknown> = {
 "openapi": "3.1.0",
 "info": {
  "title": "Mailpipe",
  "version": "0.1.0",
  "description": "An email API that lives in your own Supabase project.",
  "license": {
   "name": "MIT",
   "identifier": "MIT"
  }
 },
 "servers": [
  {
   "url": "/functions/v1"
  }
 ],
 "paths": {
  "/audit": {
   "get": {
    "operationId": "GETAudit",
    "summary": "Lists who did what, newest first",
    "description": "Who may call: session of an owner.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     },
     {
      "name": "action",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 100,
       "pattern": "^[a-z_]+\\.[a-z_]+$"
      }
     },
     {
      "name": "actor_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "minLength": 1,
       "maxLength": 100
      }
     },
     {
      "name": "subject_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "minLength": 1,
       "maxLength": 100
      }
     },
     {
      "name": "environment",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "enum": [
        "live",
        "test"
       ]
      }
     },
     {
      "name": "since",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     },
     {
      "name": "until",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "environment": {
              "anyOf": [
               {
                "type": "string",
                "enum": [
                 "live",
                 "test"
                ]
               },
               {
                "type": "null"
               }
              ]
             },
             "actor_kind": {
              "type": "string"
             },
             "actor_id": {
              "type": "string"
             },
             "action": {
              "type": "string"
             },
             "subject_id": {
              "type": [
               "string",
               "null"
              ]
             },
             "detail": {
              "type": "object",
              "propertyNames": {
               "type": "string"
              },
              "additionalProperties": {}
             },
             "sealed_in": {
              "type": [
               "number",
               "null"
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "environment",
             "actor_kind",
             "actor_id",
             "action",
             "subject_id",
             "detail",
             "sealed_in",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/audit/verify": {
   "get": {
    "operationId": "GETAuditVerify",
    "summary": "Proves that no sealed line was changed, and that a head told before is part of the chain",
    "description": "Who may call: session of an owner.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "head",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^[0-9a-f]{64}$"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "valid": {
           "type": "boolean"
          },
          "ranges": {
           "type": "number"
          },
          "lines": {
           "type": "number"
          },
          "dropped_ranges": {
           "type": "number"
          },
          "unsealed": {
           "type": "number"
          },
          "head": {
           "type": [
            "string",
            "null"
           ]
          },
          "head_known": {
           "type": [
            "boolean",
            "null"
           ]
          },
          "faults": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "sequence": {
              "type": "number"
             },
             "fault": {
              "type": "string"
             }
            },
            "required": [
             "sequence",
             "fault"
            ],
            "additionalProperties": false
           }
          }
         },
         "required": [
          "valid",
          "ranges",
          "lines",
          "dropped_ranges",
          "unsealed",
          "head",
          "head_known",
          "faults"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/delete-data": {
   "post": {
    "operationId": "POSTDeleteData",
    "summary": "Counts what a deletion would take and, called again with the token, does it",
    "description": "Who may call: key with `data:delete`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "data:delete"
      ]
     },
     {
      "session": [
       "data:delete"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "oneOf": [
         {
          "type": "object",
          "properties": {
           "what": {
            "type": "string",
            "const": "message"
           },
           "id": {
            "type": "string",
            "pattern": "^msg_[0-9A-HJKMNP-TV-Z]{26}$"
           },
           "confirm": {
            "type": "string",
            "maxLength": 100
           }
          },
          "required": [
           "what",
           "id"
          ],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {
           "what": {
            "type": "string",
            "const": "mailbox"
           },
           "id": {
            "type": "string",
            "pattern": "^mbx_[0-9A-HJKMNP-TV-Z]{26}$"
           },
           "confirm": {
            "type": "string",
            "maxLength": 100
           }
          },
          "required": [
           "what",
           "id"
          ],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {
           "what": {
            "type": "string",
            "const": "person"
           },
           "id": {
            "anyOf": [
             {
              "type": "string"
             },
             {
              "type": "object",
              "properties": {
               "email": {
                "type": "string"
               },
               "name": {
                "type": [
                 "string",
                 "null"
                ]
               }
              },
              "required": [
               "email"
              ],
              "additionalProperties": false
             }
            ]
           },
           "confirm": {
            "type": "string",
            "maxLength": 100
           }
          },
          "required": [
           "what",
           "id"
          ],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {
           "what": {
            "type": "string",
            "const": "organization"
           },
           "id": {
            "type": "string",
            "pattern": "^org_[0-9A-HJKMNP-TV-Z]{26}$"
           },
           "confirm": {
            "type": "string",
            "maxLength": 100
           }
          },
          "required": [
           "what",
           "id"
          ],
          "additionalProperties": false
         }
        ]
       }
      }
     }
    },
    "responses": {
     "202": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "anyOf": [
          {
           "type": "object",
           "properties": {
            "id": {
             "type": "string"
            },
            "confirm": {
             "type": "string"
            },
            "confirm_until": {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            "counts": {
             "type": "object",
             "propertyNames": {
              "type": "string"
             },
             "additionalProperties": {
              "type": "number"
             }
            }
           },
           "required": [
            "id",
            "confirm",
            "confirm_until",
            "counts"
           ],
           "additionalProperties": false
          },
          {
           "type": "object",
           "properties": {
            "receipt": {
             "type": "object",
             "properties": {
              "id": {
               "type": "string"
              },
              "what": {
               "type": "string",
               "enum": [
                "message",
                "mailbox",
                "person",
                "organization"
               ]
              },
              "environment": {
               "anyOf": [
                {
                 "type": "string",
                 "enum": [
                  "live",
                  "test"
                 ]
                },
                {
                 "type": "null"
                }
               ]
              },
              "state": {
               "type": "string",
               "enum": [
                "waiting",
                "running",
                "done",
                "undone"
               ]
              },
              "counts": {
               "type": "object",
               "propertyNames": {
                "type": "string"
               },
               "additionalProperties": {
                "type": "number"
               }
              },
              "removed": {
               "type": "object",
               "propertyNames": {
                "type": "string"
               },
               "additionalProperties": {
                "type": "number"
               }
              },
              "undo_until": {
               "anyOf": [
                {
                 "type": "string",
                 "format": "date-time",
                 "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
                },
                {
                 "type": "null"
                }
               ]
              },
              "created_at": {
               "type": "string",
               "format": "date-time",
               "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
              },
              "finished_at": {
               "anyOf": [
                {
                 "type": "string",
                 "format": "date-time",
                 "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
                },
                {
                 "type": "null"
                }
               ]
              },
              "backups": {
               "type": "string"
              }
             },
             "required": [
              "id",
              "what",
              "environment",
              "state",
              "counts",
              "removed",
              "undo_until",
              "created_at",
              "finished_at",
              "backups"
             ],
             "additionalProperties": false
            }
           },
           "required": [
            "receipt"
           ],
           "additionalProperties": false
          }
         ]
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/delete-data/{id}": {
   "get": {
    "operationId": "GETDeleteDataId",
    "summary": "Shows how far a deletion is, or its receipt",
    "description": "Who may call: key with `data:delete`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "data:delete"
      ]
     },
     {
      "session": [
       "data:delete"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "what": {
           "type": "string",
           "enum": [
            "message",
            "mailbox",
            "person",
            "organization"
           ]
          },
          "environment": {
           "anyOf": [
            {
             "type": "string",
             "enum": [
              "live",
              "test"
             ]
            },
            {
             "type": "null"
            }
           ]
          },
          "state": {
           "type": "string",
           "enum": [
            "waiting",
            "running",
            "done",
            "undone"
           ]
          },
          "counts": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "number"
           }
          },
          "removed": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "number"
           }
          },
          "undo_until": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "finished_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "backups": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "what",
          "environment",
          "state",
          "counts",
          "removed",
          "undo_until",
          "created_at",
          "finished_at",
          "backups"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/delete-data/{id}/undo": {
   "post": {
    "operationId": "POSTDeleteDataIdUndo",
    "summary": "Undoes the deletion of the organization, for seven days",
    "description": "Who may call: key with `data:delete`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "data:delete"
      ]
     },
     {
      "session": [
       "data:delete"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "what": {
           "type": "string",
           "enum": [
            "message",
            "mailbox",
            "person",
            "organization"
           ]
          },
          "environment": {
           "anyOf": [
            {
             "type": "string",
             "enum": [
              "live",
              "test"
             ]
            },
            {
             "type": "null"
            }
           ]
          },
          "state": {
           "type": "string",
           "enum": [
            "waiting",
            "running",
            "done",
            "undone"
           ]
          },
          "counts": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "number"
           }
          },
          "removed": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "number"
           }
          },
          "undo_until": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "finished_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "backups": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "what",
          "environment",
          "state",
          "counts",
          "removed",
          "undo_until",
          "created_at",
          "finished_at",
          "backups"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/delete-data/receipt": {
   "post": {
    "operationId": "POSTDeleteDataReceipt",
    "summary": "Shows the receipt to whoever holds the token, also when the organization is gone",
    "description": "Who may call: anyone.",
    "security": [
     {}
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "confirm": {
          "type": "string",
          "maxLength": 100
         }
        },
        "required": [
         "confirm"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "what": {
           "type": "string",
           "enum": [
            "message",
            "mailbox",
            "person",
            "organization"
           ]
          },
          "environment": {
           "anyOf": [
            {
             "type": "string",
             "enum": [
              "live",
              "test"
             ]
            },
            {
             "type": "null"
            }
           ]
          },
          "state": {
           "type": "string",
           "enum": [
            "waiting",
            "running",
            "done",
            "undone"
           ]
          },
          "counts": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "number"
           }
          },
          "removed": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "number"
           }
          },
          "undo_until": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "finished_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "backups": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "what",
          "environment",
          "state",
          "counts",
          "removed",
          "undo_until",
          "created_at",
          "finished_at",
          "backups"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/deliver-mail": {
   "post": {
    "operationId": "POSTDeliverMail",
    "summary": "Sends messages that are due",
    "description": "Who may call: the workers' secret.",
    "security": [
     {
      "worker": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "message_id": {
          "type": "string",
          "pattern": "^msg_[0-9A-Z]{26}$"
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "done": {
           "type": "number"
          }
         },
         "required": [
          "done"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/deliveries": {
   "get": {
    "operationId": "GETDeliveries",
    "summary": "Lists deliveries with their attempts, newest first",
    "description": "Who may call: key with `webhooks:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:read"
      ]
     },
     {
      "session": [
       "webhooks:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     },
     {
      "name": "endpoint_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^whk_[0-9A-HJKMNP-TV-Z]{26}$"
      }
     },
     {
      "name": "event_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^evt_[0-9A-HJKMNP-TV-Z]{26}$"
      }
     },
     {
      "name": "event_type",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "minLength": 1,
       "maxLength": 64
      }
     },
     {
      "name": "state",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "enum": [
        "pending",
        "succeeded",
        "failed"
       ]
      }
     },
     {
      "name": "failure",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^[a-z_]{2,32}$"
      }
     },
     {
      "name": "since",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     },
     {
      "name": "until",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "event_id": {
              "type": "string"
             },
             "event_type": {
              "type": "string"
             },
             "endpoint_id": {
              "type": "string"
             },
             "environment": {
              "type": "string",
              "enum": [
               "live",
               "test"
              ]
             },
             "state": {
              "type": "string",
              "enum": [
               "pending",
               "succeeded",
               "failed"
              ]
             },
             "failure": {
              "type": [
               "string",
               "null"
              ]
             },
             "attempt_count": {
              "type": "number"
             },
             "attempts": {
              "type": "array",
              "items": {
               "type": "object",
               "properties": {
                "started_at": {
                 "type": "string",
                 "format": "date-time",
                 "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
                },
                "duration_ms": {
                 "type": [
                  "number",
                  "null"
                 ]
                },
                "status_code": {
                 "type": [
                  "number",
                  "null"
                 ]
                },
                "outcome": {
                 "type": "string"
                },
                "failure": {
                 "type": [
                  "string",
                  "null"
                 ]
                },
                "detail": {
                 "type": [
                  "string",
                  "null"
                 ]
                }
               },
               "required": [
                "started_at",
                "duration_ms",
                "status_code",
                "outcome",
                "failure",
                "detail"
               ],
               "additionalProperties": false
              }
             },
             "next_attempt_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "finished_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "event_id",
             "event_type",
             "endpoint_id",
             "environment",
             "state",
             "failure",
             "attempt_count",
             "attempts",
             "next_attempt_at",
             "finished_at",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/deliveries/{id}": {
   "get": {
    "operationId": "GETDeliveriesId",
    "summary": "Shows a delivery with the bytes that are sent",
    "description": "Who may call: key with `webhooks:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:read"
      ]
     },
     {
      "session": [
       "webhooks:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "event_id": {
           "type": "string"
          },
          "event_type": {
           "type": "string"
          },
          "endpoint_id": {
           "type": "string"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "state": {
           "type": "string",
           "enum": [
            "pending",
            "succeeded",
            "failed"
           ]
          },
          "failure": {
           "type": [
            "string",
            "null"
           ]
          },
          "attempt_count": {
           "type": "number"
          },
          "attempts": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "started_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             },
             "duration_ms": {
              "type": [
               "number",
               "null"
              ]
             },
             "status_code": {
              "type": [
               "number",
               "null"
              ]
             },
             "outcome": {
              "type": "string"
             },
             "failure": {
              "type": [
               "string",
               "null"
              ]
             },
             "detail": {
              "type": [
               "string",
               "null"
              ]
             }
            },
            "required": [
             "started_at",
             "duration_ms",
             "status_code",
             "outcome",
             "failure",
             "detail"
            ],
            "additionalProperties": false
           }
          },
          "next_attempt_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "finished_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "body": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "id",
          "event_id",
          "event_type",
          "endpoint_id",
          "environment",
          "state",
          "failure",
          "attempt_count",
          "attempts",
          "next_attempt_at",
          "finished_at",
          "created_at",
          "body"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/dispatch-webhooks": {
   "post": {
    "operationId": "POSTDispatchWebhooks",
    "summary": "Delivers events that are due to their endpoints",
    "description": "Who may call: the workers' secret.",
    "security": [
     {
      "worker": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "done": {
           "type": "number"
          }
         },
         "required": [
          "done"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/events": {
   "get": {
    "operationId": "GETEvents",
    "summary": "Lists events, newest first",
    "description": "Who may call: key with `webhooks:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:read"
      ]
     },
     {
      "session": [
       "webhooks:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     },
     {
      "name": "type",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "minLength": 1,
       "maxLength": 64
      }
     },
     {
      "name": "message_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^msg_[0-9A-HJKMNP-TV-Z]{26}$"
      }
     },
     {
      "name": "since",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     },
     {
      "name": "until",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "type": {
              "type": "string"
             },
             "environment": {
              "type": "string",
              "enum": [
               "live",
               "test"
              ]
             },
             "message_id": {
              "type": [
               "string",
               "null"
              ]
             },
             "payload_version": {
              "type": "number"
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             },
             "data": {
              "type": "object",
              "propertyNames": {
               "type": "string"
              },
              "additionalProperties": {}
             },
             "deliveries": {
              "type": "array",
              "items": {
               "type": "object",
               "properties": {
                "id": {
                 "type": "string"
                },
                "endpoint_id": {
                 "type": "string"
                },
                "state": {
                 "type": "string",
                 "enum": [
                  "pending",
                  "succeeded",
                  "failed"
                 ]
                },
                "failure": {
                 "type": [
                  "string",
                  "null"
                 ]
                },
                "attempt_count": {
                 "type": "number"
                }
               },
               "required": [
                "id",
                "endpoint_id",
                "state",
                "failure",
                "attempt_count"
               ],
               "additionalProperties": false
              }
             }
            },
            "required": [
             "id",
             "type",
             "environment",
             "message_id",
             "payload_version",
             "created_at",
             "data",
             "deliveries"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/events/{id}": {
   "get": {
    "operationId": "GETEventsId",
    "summary": "Shows an event",
    "description": "Who may call: key with `webhooks:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:read"
      ]
     },
     {
      "session": [
       "webhooks:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "type": {
           "type": "string"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "message_id": {
           "type": [
            "string",
            "null"
           ]
          },
          "payload_version": {
           "type": "number"
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "data": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {}
          },
          "deliveries": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "endpoint_id": {
              "type": "string"
             },
             "state": {
              "type": "string",
              "enum": [
               "pending",
               "succeeded",
               "failed"
              ]
             },
             "failure": {
              "type": [
               "string",
               "null"
              ]
             },
             "attempt_count": {
              "type": "number"
             }
            },
            "required": [
             "id",
             "endpoint_id",
             "state",
             "failure",
             "attempt_count"
            ],
            "additionalProperties": false
           }
          }
         },
         "required": [
          "id",
          "type",
          "environment",
          "message_id",
          "payload_version",
          "created_at",
          "data",
          "deliveries"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/export-data": {
   "post": {
    "operationId": "POSTExportData",
    "summary": "Starts an export of the whole organization",
    "description": "Who may call: key with `data:export`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "data:export"
      ]
     },
     {
      "session": [
       "data:export"
      ]
     }
    ],
    "parameters": [],
    "responses": {
     "202": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "state": {
           "type": "string",
           "enum": [
            "running",
            "ready",
            "failed"
           ]
          },
          "progress": {
           "type": "object",
           "properties": {
            "stage": {
             "type": "string"
            },
            "rows": {
             "type": "number"
            },
            "messages": {
             "type": "number"
            },
            "attachments": {
             "type": "number"
            },
            "parts": {
             "type": "number"
            },
            "size_bytes": {
             "type": "number"
            }
           },
           "required": [
            "stage",
            "rows",
            "messages",
            "attachments",
            "parts",
            "size_bytes"
           ],
           "additionalProperties": false
          },
          "expires_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "state",
          "progress",
          "expires_at",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/export-data/{id}": {
   "get": {
    "operationId": "GETExportDataId",
    "summary": "Shows how far an export is and, once it is ready, links to its parts",
    "description": "Who may call: key with `data:export`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "data:export"
      ]
     },
     {
      "session": [
       "data:export"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     },
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "state": {
           "type": "string",
           "enum": [
            "running",
            "ready",
            "failed"
           ]
          },
          "progress": {
           "type": "object",
           "properties": {
            "stage": {
             "type": "string"
            },
            "rows": {
             "type": "number"
            },
            "messages": {
             "type": "number"
            },
            "attachments": {
             "type": "number"
            },
            "parts": {
             "type": "number"
            },
            "size_bytes": {
             "type": "number"
            }
           },
           "required": [
            "stage",
            "rows",
            "messages",
            "attachments",
            "parts",
            "size_bytes"
           ],
           "additionalProperties": false
          },
          "expires_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "parts": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "number": {
              "type": "number"
             },
             "kind": {
              "type": "string",
              "enum": [
               "rows",
               "mail",
               "attachment",
               "manifest"
              ]
             },
             "name": {
              "type": "string"
             },
             "entries": {
              "type": "number"
             },
             "size_bytes": {
              "type": "number"
             },
             "sha256": {
              "type": "string"
             },
             "url": {
              "type": [
               "string",
               "null"
              ]
             },
             "expires_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "number",
             "kind",
             "name",
             "entries",
             "size_bytes",
             "sha256",
             "url",
             "expires_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "id",
          "state",
          "progress",
          "expires_at",
          "created_at",
          "parts",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/health": {
   "get": {
    "operationId": "GETHealth",
    "summary": "Says whether the installation works; queues and providers with `usage:read` or the workers' secret",
    "description": "Who may call: anyone.",
    "security": [
     {}
    ],
    "parameters": [],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "status": {
           "type": "string",
           "const": "ok"
          },
          "schema_version": {
           "type": "string"
          },
          "queue": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "object",
            "properties": {
             "due": {
              "type": "number"
             },
             "waiting": {
              "type": "number"
             },
             "oldest_due_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             }
            },
            "required": [
             "due",
             "waiting",
             "oldest_due_at"
            ],
            "additionalProperties": false
           }
          },
          "providers": {
           "type": "array",
           "items": {
            "type": "object",
            "propertyNames": {
             "type": "string"
            },
            "additionalProperties": {}
           }
          }
         },
         "required": [
          "status",
          "schema_version"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/invitations": {
   "get": {
    "operationId": "GETInvitations",
    "summary": "Lists invitations and what became of them",
    "description": "Who may call: session of an owner or admin.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "email": {
              "type": "string"
             },
             "role": {
              "type": "string",
              "enum": [
               "owner",
               "admin",
               "member",
               "viewer"
              ]
             },
             "state": {
              "type": "string",
              "enum": [
               "open",
               "accepted",
               "withdrawn",
               "expired"
              ]
             },
             "invited_by": {
              "anyOf": [
               {
                "type": "string",
                "format": "uuid",
                "pattern": "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$"
               },
               {
                "type": "null"
               }
              ]
             },
             "expires_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "email",
             "role",
             "state",
             "invited_by",
             "expires_at",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "operationId": "POSTInvitations",
    "summary": "Invites an address; the token is shown once and is yours to hand over",
    "description": "Who may call: session of an owner or admin.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "email": {
          "anyOf": [
           {
            "type": "string"
           },
           {
            "type": "object",
            "properties": {
             "email": {
              "type": "string"
             },
             "name": {
              "type": [
               "string",
               "null"
              ]
             }
            },
            "required": [
             "email"
            ],
            "additionalProperties": false
           }
          ]
         },
         "role": {
          "type": "string",
          "enum": [
           "owner",
           "admin",
           "member",
           "viewer"
          ]
         }
        },
        "required": [
         "email",
         "role"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "email": {
           "type": "string"
          },
          "role": {
           "type": "string",
           "enum": [
            "owner",
            "admin",
            "member",
            "viewer"
           ]
          },
          "state": {
           "type": "string",
           "enum": [
            "open",
            "accepted",
            "withdrawn",
            "expired"
           ]
          },
          "invited_by": {
           "anyOf": [
            {
             "type": "string",
             "format": "uuid",
             "pattern": "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$"
            },
            {
             "type": "null"
            }
           ]
          },
          "expires_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "token": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "email",
          "role",
          "state",
          "invited_by",
          "expires_at",
          "created_at",
          "token"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/invitations/accept": {
   "post": {
    "operationId": "POSTInvitationsAccept",
    "summary": "Joins the organization as the invited user",
    "description": "Who may call: session.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "token": {
          "type": "string",
          "maxLength": 100
         }
        },
        "required": [
         "token"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "name": {
           "type": "string"
          },
          "role": {
           "type": "string",
           "enum": [
            "owner",
            "admin",
            "member",
            "viewer"
           ]
          }
         },
         "required": [
          "id",
          "name",
          "role"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/invitations/{id}": {
   "delete": {
    "operationId": "DELETEInvitationsId",
    "summary": "Withdraws an invitation",
    "description": "Who may call: session of an owner or admin.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "removed": {
           "type": "boolean",
           "const": true
          }
         },
         "required": [
          "id",
          "removed"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/issue-key": {
   "post": {
    "operationId": "POSTIssueKey",
    "summary": "Issues an API key, shown once",
    "description": "Who may call: key with `keys:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "keys:write"
      ]
     },
     {
      "session": [
       "keys:write"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "minLength": 1,
          "maxLength": 200,
          "pattern": "^[^\\p{Cc}\\p{Cs}\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
         },
         "environment": {
          "type": "string",
          "enum": [
           "live",
           "test"
          ]
         },
         "scopes": {
          "minItems": 1,
          "maxItems": 32,
          "type": "array",
          "items": {
           "type": "string",
           "enum": [
            "mail:send",
            "mail:read",
            "mail:write",
            "mailboxes:read",
            "mailboxes:write",
            "domains:read",
            "domains:write",
            "providers:read",
            "providers:write",
            "webhooks:read",
            "webhooks:write",
            "keys:read",
            "keys:write",
            "usage:read",
            "data:export",
            "data:delete"
           ]
          }
         },
         "expires_at": {
          "type": "string",
          "format": "date-time",
          "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
         },
         "fences": {
          "type": "object",
          "properties": {
           "sending_domains": {
            "anyOf": [
             {
              "minItems": 1,
              "maxItems": 100,
              "type": "array",
              "items": {
               "type": "string",
               "maxLength": 253
              }
             },
             {
              "type": "null"
             }
            ]
           },
           "mailboxes": {
            "anyOf": [
             {
              "minItems": 1,
              "maxItems": 100,
              "type": "array",
              "items": {
               "type": "string",
               "maxLength": 320
              }
             },
             {
              "type": "null"
             }
            ]
           },
           "recipient_domains": {
            "anyOf": [
             {
              "minItems": 1,
              "maxItems": 100,
              "type": "array",
              "items": {
               "type": "string",
               "maxLength": 253
              }
             },
             {
              "type": "null"
             }
            ]
           },
           "ip_ranges": {
            "anyOf": [
             {
              "minItems": 1,
              "maxItems": 100,
              "type": "array",
              "items": {
               "type": "string",
               "maxLength": 60
              }
             },
             {
              "type": "null"
             }
            ]
           }
          },
          "additionalProperties": false
         },
         "limits": {
          "type": "object",
          "properties": {
           "per_minute": {
            "anyOf": [
             {
              "type": "integer",
              "minimum": 1,
              "maximum": 1000000
             },
             {
              "type": "null"
             }
            ]
           },
           "per_day": {
            "anyOf": [
             {
              "type": "integer",
              "minimum": 1,
              "maximum": 1000000
             },
             {
              "type": "null"
             }
            ]
           }
          },
          "additionalProperties": false
         },
         "honey": {
          "type": "boolean"
         }
        },
        "required": [
         "name",
         "environment",
         "scopes"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "name": {
           "type": "string"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "scopes": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "fences": {
           "type": "object",
           "properties": {
            "sending_domains": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "mailboxes": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "recipient_domains": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "ip_ranges": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            }
           },
           "required": [
            "sending_domains",
            "mailboxes",
            "recipient_domains",
            "ip_ranges"
           ],
           "additionalProperties": false
          },
          "limits": {
           "type": "object",
           "properties": {
            "per_minute": {
             "type": [
              "number",
              "null"
             ]
            },
            "per_day": {
             "type": [
              "number",
              "null"
             ]
            }
           },
           "required": [
            "per_minute",
            "per_day"
           ],
           "additionalProperties": false
          },
          "honey": {
           "type": "boolean"
          },
          "last_four": {
           "type": "string"
          },
          "issued_by": {
           "type": [
            "string",
            "null"
           ]
          },
          "expires_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "key": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "name",
          "environment",
          "scopes",
          "fences",
          "limits",
          "honey",
          "last_four",
          "issued_by",
          "expires_at",
          "created_at",
          "key"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/list-keys": {
   "get": {
    "operationId": "GETListKeys",
    "summary": "Lists API keys by name and last four characters",
    "description": "Who may call: key with `keys:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "keys:read"
      ]
     },
     {
      "session": [
       "keys:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "name": {
              "type": "string"
             },
             "environment": {
              "type": "string",
              "enum": [
               "live",
               "test"
              ]
             },
             "scopes": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "fences": {
              "type": "object",
              "properties": {
               "sending_domains": {
                "anyOf": [
                 {
                  "type": "array",
                  "items": {
                   "type": "string"
                  }
                 },
                 {
                  "type": "null"
                 }
                ]
               },
               "mailboxes": {
                "anyOf": [
                 {
                  "type": "array",
                  "items": {
                   "type": "string"
                  }
                 },
                 {
                  "type": "null"
                 }
                ]
               },
               "recipient_domains": {
                "anyOf": [
                 {
                  "type": "array",
                  "items": {
                   "type": "string"
                  }
                 },
                 {
                  "type": "null"
                 }
                ]
               },
               "ip_ranges": {
                "anyOf": [
                 {
                  "type": "array",
                  "items": {
                   "type": "string"
                  }
                 },
                 {
                  "type": "null"
                 }
                ]
               }
              },
              "required": [
               "sending_domains",
               "mailboxes",
               "recipient_domains",
               "ip_ranges"
              ],
              "additionalProperties": false
             },
             "limits": {
              "type": "object",
              "properties": {
               "per_minute": {
                "type": [
                 "number",
                 "null"
                ]
               },
               "per_day": {
                "type": [
                 "number",
                 "null"
                ]
               }
              },
              "required": [
               "per_minute",
               "per_day"
              ],
              "additionalProperties": false
             },
             "honey": {
              "type": "boolean"
             },
             "last_four": {
              "type": "string"
             },
             "issued_by": {
              "type": [
               "string",
               "null"
              ]
             },
             "expires_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             },
             "revoked_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "exposed_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "replaces": {
              "type": [
               "string",
               "null"
              ]
             },
             "replaced_by": {
              "type": [
               "string",
               "null"
              ]
             },
             "rotation_due": {
              "type": "boolean"
             },
             "last_used_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "last_used_range": {
              "type": [
               "string",
               "null"
              ]
             },
             "use_count": {
              "type": "number"
             },
             "refused_count": {
              "type": "number"
             }
            },
            "required": [
             "id",
             "name",
             "environment",
             "scopes",
             "fences",
             "limits",
             "honey",
             "last_four",
             "issued_by",
             "expires_at",
             "created_at",
             "revoked_at",
             "exposed_at",
             "replaces",
             "replaced_by",
             "rotation_due",
             "last_used_at",
             "last_used_range",
             "use_count",
             "refused_count"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/mailboxes": {
   "get": {
    "operationId": "GETMailboxes",
    "summary": "Lists mailboxes",
    "description": "Who may call: key with `mailboxes:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mailboxes:read"
      ]
     },
     {
      "session": [
       "mailboxes:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "address": {
              "type": "string"
             },
             "display_name": {
              "type": [
               "string",
               "null"
              ]
             },
             "forward_to_webhook": {
              "type": "boolean"
             },
             "environment": {
              "type": "string",
              "enum": [
               "live",
               "test"
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "address",
             "display_name",
             "forward_to_webhook",
             "environment",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "operationId": "POSTMailboxes",
    "summary": "Makes a mailbox for an address",
    "description": "Who may call: key with `mailboxes:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mailboxes:write"
      ]
     },
     {
      "session": [
       "mailboxes:write"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "address": {
          "anyOf": [
           {
            "type": "string"
           },
           {
            "type": "object",
            "properties": {
             "email": {
              "type": "string"
             },
             "name": {
              "type": [
               "string",
               "null"
              ]
             }
            },
            "required": [
             "email"
            ],
            "additionalProperties": false
           }
          ]
         },
         "display_name": {
          "anyOf": [
           {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "pattern": "^[^\\p{Cc}\\p{Cs}\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
           },
           {
            "type": "null"
           }
          ]
         },
         "forward_to_webhook": {
          "type": "boolean"
         }
        },
        "required": [
         "address"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "address": {
           "type": "string"
          },
          "display_name": {
           "type": [
            "string",
            "null"
           ]
          },
          "forward_to_webhook": {
           "type": "boolean"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "address",
          "display_name",
          "forward_to_webhook",
          "environment",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/mailboxes/{id}": {
   "get": {
    "operationId": "GETMailboxesId",
    "summary": "Shows a mailbox",
    "description": "Who may call: key with `mailboxes:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mailboxes:read"
      ]
     },
     {
      "session": [
       "mailboxes:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "address": {
           "type": "string"
          },
          "display_name": {
           "type": [
            "string",
            "null"
           ]
          },
          "forward_to_webhook": {
           "type": "boolean"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "address",
          "display_name",
          "forward_to_webhook",
          "environment",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "patch": {
    "operationId": "PATCHMailboxesId",
    "summary": "Changes a mailbox's name, or whether its mail is announced",
    "description": "Who may call: key with `mailboxes:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mailboxes:write"
      ]
     },
     {
      "session": [
       "mailboxes:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "display_name": {
          "anyOf": [
           {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "pattern": "^[^\\p{Cc}\\p{Cs}\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
           },
           {
            "type": "null"
           }
          ]
         },
         "forward_to_webhook": {
          "type": "boolean"
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "address": {
           "type": "string"
          },
          "display_name": {
           "type": [
            "string",
            "null"
           ]
          },
          "forward_to_webhook": {
           "type": "boolean"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "address",
          "display_name",
          "forward_to_webhook",
          "environment",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "delete": {
    "operationId": "DELETEMailboxesId",
    "summary": "Removes a mailbox and keeps its mail",
    "description": "Who may call: key with `mailboxes:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mailboxes:write"
      ]
     },
     {
      "session": [
       "mailboxes:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "removed": {
           "type": "boolean",
           "const": true
          }
         },
         "required": [
          "id",
          "removed"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/members": {
   "get": {
    "operationId": "GETMembers",
    "summary": "Lists the members of the organization",
    "description": "Who may call: session of any member.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "user_id": {
              "type": "string",
              "format": "uuid",
              "pattern": "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$"
             },
             "email": {
              "type": [
               "string",
               "null"
              ]
             },
             "role": {
              "type": "string",
              "enum": [
               "owner",
               "admin",
               "member",
               "viewer"
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "user_id",
             "email",
             "role",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/members/{id}": {
   "patch": {
    "operationId": "PATCHMembersId",
    "summary": "Changes a member's role, from the next call on",
    "description": "Who may call: session of an owner or admin.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "role": {
          "type": "string",
          "enum": [
           "owner",
           "admin",
           "member",
           "viewer"
          ]
         }
        },
        "required": [
         "role"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "user_id": {
           "type": "string",
           "format": "uuid",
           "pattern": "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$"
          },
          "email": {
           "type": [
            "string",
            "null"
           ]
          },
          "role": {
           "type": "string",
           "enum": [
            "owner",
            "admin",
            "member",
            "viewer"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "user_id",
          "email",
          "role",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "delete": {
    "operationId": "DELETEMembersId",
    "summary": "Removes a member, or leaves the organization",
    "description": "Who may call: session of any member.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "removed": {
           "type": "boolean",
           "const": true
          }
         },
         "required": [
          "id",
          "removed"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/members/{id}/transfer": {
   "post": {
    "operationId": "POSTMembersIdTransfer",
    "summary": "Makes the member an owner and the caller an admin",
    "description": "Who may call: session of an owner.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "user_id": {
           "type": "string",
           "format": "uuid",
           "pattern": "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$"
          },
          "email": {
           "type": [
            "string",
            "null"
           ]
          },
          "role": {
           "type": "string",
           "enum": [
            "owner",
            "admin",
            "member",
            "viewer"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "user_id",
          "email",
          "role",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/messages": {
   "get": {
    "operationId": "GETMessages",
    "summary": "Lists messages, newest first",
    "description": "Who may call: key with `mail:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mail:read"
      ]
     },
     {
      "session": [
       "mail:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     },
     {
      "name": "direction",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "enum": [
        "inbound",
        "outbound"
       ]
      }
     },
     {
      "name": "status",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "enum": [
        "queued",
        "sending",
        "unknown",
        "sent",
        "deferred",
        "failed",
        "delivered",
        "bounced",
        "complained",
        "suppressed",
        "cancelled",
        "mixed",
        "received"
       ]
      }
     },
     {
      "name": "mailbox_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^mbx_[0-9A-HJKMNP-TV-Z]{26}$"
      }
     },
     {
      "name": "thread_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^thr_[0-9A-HJKMNP-TV-Z]{26}$"
      }
     },
     {
      "name": "from",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "minLength": 3,
       "maxLength": 254
      }
     },
     {
      "name": "tag",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "minLength": 1,
       "maxLength": 256
      }
     },
     {
      "name": "read",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "enum": [
        "true",
        "false"
       ]
      }
     },
     {
      "name": "since",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     },
     {
      "name": "until",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "direction": {
              "type": "string",
              "enum": [
               "inbound",
               "outbound"
              ]
             },
             "status": {
              "type": "string",
              "enum": [
               "queued",
               "sending",
               "unknown",
               "sent",
               "deferred",
               "failed",
               "delivered",
               "bounced",
               "complained",
               "suppressed",
               "cancelled",
               "mixed",
               "received"
              ]
             },
             "environment": {
              "type": "string",
              "enum": [
               "live",
               "test"
              ]
             },
             "thread_id": {
              "type": "string"
             },
             "mailbox_id": {
              "type": [
               "string",
               "null"
              ]
             },
             "provider_id": {
              "type": [
               "string",
               "null"
              ]
             },
             "from": {
              "type": "string"
             },
             "to": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "subject": {
              "type": "string"
             },
             "snippet": {
              "type": "string"
             },
             "tags": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "labels": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "read": {
              "type": "boolean"
             },
             "starred": {
              "type": "boolean"
             },
             "has_attachments": {
              "type": "boolean"
             },
             "sent_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "direction",
             "status",
             "environment",
             "thread_id",
             "mailbox_id",
             "provider_id",
             "from",
             "to",
             "subject",
             "snippet",
             "tags",
             "labels",
             "read",
             "starred",
             "has_attachments",
             "sent_at",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/messages/{id}": {
   "get": {
    "operationId": "GETMessagesId",
    "summary": "Shows a message with its recipients, attachments and events",
    "description": "Who may call: key with `mail:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mail:read"
      ]
     },
     {
      "session": [
       "mail:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "direction": {
           "type": "string",
           "enum": [
            "inbound",
            "outbound"
           ]
          },
          "status": {
           "type": "string",
           "enum": [
            "queued",
            "sending",
            "unknown",
            "sent",
            "deferred",
            "failed",
            "delivered",
            "bounced",
            "complained",
            "suppressed",
            "cancelled",
            "mixed",
            "received"
           ]
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "thread_id": {
           "type": "string"
          },
          "mailbox_id": {
           "type": [
            "string",
            "null"
           ]
          },
          "provider_id": {
           "type": [
            "string",
            "null"
           ]
          },
          "from": {
           "type": "string"
          },
          "to": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "subject": {
           "type": "string"
          },
          "snippet": {
           "type": "string"
          },
          "tags": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "labels": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "read": {
           "type": "boolean"
          },
          "starred": {
           "type": "boolean"
          },
          "has_attachments": {
           "type": "boolean"
          },
          "sent_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "cc": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "bcc": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "reply_to": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "email": {
              "type": "string"
             },
             "name": {
              "type": [
               "string",
               "null"
              ]
             }
            },
            "required": [
             "email",
             "name"
            ],
            "additionalProperties": false
           }
          },
          "text": {
           "type": [
            "string",
            "null"
           ]
          },
          "html": {
           "type": [
            "string",
            "null"
           ]
          },
          "headers": {
           "anyOf": [
            {
             "type": "object",
             "propertyNames": {
              "type": "string"
             },
             "additionalProperties": {
              "type": "string"
             }
            },
            {
             "type": "array",
             "items": {
              "type": "object",
              "properties": {
               "name": {
                "type": "string"
               },
               "value": {
                "type": "string"
               }
              },
              "required": [
               "name",
               "value"
              ],
              "additionalProperties": false
             }
            }
           ]
          },
          "metadata": {
           "type": "object",
           "propertyNames": {
            "type": "string"
           },
           "additionalProperties": {
            "type": "string"
           }
          },
          "message_id": {
           "type": [
            "string",
            "null"
           ]
          },
          "in_reply_to": {
           "type": [
            "string",
            "null"
           ]
          },
          "defects": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "recipients": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "address": {
              "type": "string"
             },
             "name": {
              "type": [
               "string",
               "null"
              ]
             },
             "kind": {
              "type": "string",
              "enum": [
               "to",
               "cc",
               "bcc"
              ]
             },
             "status": {
              "type": "string",
              "enum": [
               "queued",
               "sending",
               "unknown",
               "sent",
               "deferred",
               "failed",
               "delivered",
               "bounced",
               "complained",
               "suppressed",
               "cancelled",
               "mixed",
               "received"
              ]
             },
             "reason": {
              "type": [
               "string",
               "null"
              ]
             },
             "updated_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "address",
             "name",
             "kind",
             "status",
             "reason",
             "updated_at"
            ],
            "additionalProperties": false
           }
          },
          "attachments": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "filename": {
              "type": "string"
             },
             "content_type": {
              "type": "string"
             },
             "content_id": {
              "type": [
               "string",
               "null"
              ]
             },
             "size_bytes": {
              "type": "number"
             },
             "sha256": {
              "type": "string"
             },
             "url": {
              "anyOf": [
               {
                "type": "string",
                "format": "uri"
               },
               {
                "type": "null"
               }
              ]
             }
            },
            "required": [
             "id",
             "filename",
             "content_type",
             "content_id",
             "size_bytes",
             "sha256",
             "url"
            ],
            "additionalProperties": false
           }
          },
          "events": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "type": {
              "type": "string"
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             },
             "data": {
              "type": "object",
              "propertyNames": {
               "type": "string"
              },
              "additionalProperties": {}
             }
            },
            "required": [
             "id",
             "type",
             "created_at",
             "data"
            ],
            "additionalProperties": false
           }
          },
          "raw_url": {
           "anyOf": [
            {
             "type": "string",
             "format": "uri"
            },
            {
             "type": "null"
            }
           ]
          }
         },
         "required": [
          "id",
          "direction",
          "status",
          "environment",
          "thread_id",
          "mailbox_id",
          "provider_id",
          "from",
          "to",
          "subject",
          "snippet",
          "tags",
          "labels",
          "read",
          "starred",
          "has_attachments",
          "sent_at",
          "created_at",
          "cc",
          "bcc",
          "reply_to",
          "text",
          "html",
          "headers",
          "metadata",
          "message_id",
          "in_reply_to",
          "defects",
          "recipients",
          "attachments",
          "events",
          "raw_url"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/openapi": {
   "get": {
    "operationId": "GETOpenapi",
    "summary": "Describes this API as OpenAPI 3.1",
    "description": "Who may call: anyone.",
    "security": [
     {}
    ],
    "parameters": [],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "propertyNames": {
          "type": "string"
         },
         "additionalProperties": {}
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/organizations": {
   "get": {
    "operationId": "GETOrganizations",
    "summary": "Lists the organizations the user belongs to",
    "description": "Who may call: session.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "name": {
              "type": "string"
             },
             "role": {
              "type": "string",
              "enum": [
               "owner",
               "admin",
               "member",
               "viewer"
              ]
             },
             "sending_paused": {
              "type": "boolean"
             },
             "messages_retention_days": {
              "type": [
               "number",
               "null"
              ]
             },
             "raw_mail_retention_days": {
              "type": [
               "number",
               "null"
              ]
             },
             "events_retention_days": {
              "type": [
               "number",
               "null"
              ]
             },
             "attempts_retention_days": {
              "type": [
               "number",
               "null"
              ]
             },
             "audit_retention_days": {
              "type": [
               "number",
               "null"
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "name",
             "role",
             "sending_paused",
             "messages_retention_days",
             "raw_mail_retention_days",
             "events_retention_days",
             "attempts_retention_days",
             "audit_retention_days",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "operationId": "POSTOrganizations",
    "summary": "Founds an organization with the user as its owner",
    "description": "Who may call: session.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "minLength": 1,
          "maxLength": 200,
          "pattern": "^[^\\p{Cc}\\p{Cs}\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
         }
        },
        "required": [
         "name"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "name": {
           "type": "string"
          },
          "role": {
           "type": "string",
           "enum": [
            "owner",
            "admin",
            "member",
            "viewer"
           ]
          },
          "sending_paused": {
           "type": "boolean"
          },
          "messages_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "raw_mail_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "events_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "attempts_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "audit_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "name",
          "role",
          "sending_paused",
          "messages_retention_days",
          "raw_mail_retention_days",
          "events_retention_days",
          "attempts_retention_days",
          "audit_retention_days",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/organizations/{id}": {
   "patch": {
    "operationId": "PATCHOrganizationsId",
    "summary": "Changes an organization's name, pauses its mail, or says how long its audit log is kept",
    "description": "Who may call: session of an owner or admin.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "minLength": 1,
          "maxLength": 200,
          "pattern": "^[^\\p{Cc}\\p{Cs}\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
         },
         "sending_paused": {
          "type": "boolean"
         },
         "messages_retention_days": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 1,
            "maximum": 3650
           },
           {
            "type": "null"
           }
          ]
         },
         "raw_mail_retention_days": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 1,
            "maximum": 3650
           },
           {
            "type": "null"
           }
          ]
         },
         "events_retention_days": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 30,
            "maximum": 3650
           },
           {
            "type": "null"
           }
          ]
         },
         "attempts_retention_days": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 1,
            "maximum": 3650
           },
           {
            "type": "null"
           }
          ]
         },
         "audit_retention_days": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 90,
            "maximum": 3650
           },
           {
            "type": "null"
           }
          ]
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "name": {
           "type": "string"
          },
          "role": {
           "type": "string",
           "enum": [
            "owner",
            "admin",
            "member",
            "viewer"
           ]
          },
          "sending_paused": {
           "type": "boolean"
          },
          "messages_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "raw_mail_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "events_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "attempts_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "audit_retention_days": {
           "type": [
            "number",
            "null"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "name",
          "role",
          "sending_paused",
          "messages_retention_days",
          "raw_mail_retention_days",
          "events_retention_days",
          "attempts_retention_days",
          "audit_retention_days",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/process-inbound": {
   "post": {
    "operationId": "POSTProcessInbound",
    "summary": "Processes provider requests that are due",
    "description": "Who may call: the workers' secret.",
    "security": [
     {
      "worker": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "done": {
           "type": "number"
          }
         },
         "required": [
          "done"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/providers": {
   "get": {
    "operationId": "GETProviders",
    "summary": "Lists connected providers",
    "description": "Who may call: key with `providers:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "providers:read"
      ]
     },
     {
      "session": [
       "providers:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "kind": {
              "type": "string",
              "enum": [
               "smtp",
               "resend"
              ]
             },
             "name": {
              "type": "string"
             },
             "environment": {
              "type": "string",
              "enum": [
               "live",
               "test"
              ]
             },
             "default": {
              "type": "boolean"
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "kind",
             "name",
             "environment",
             "default",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "operationId": "POSTProviders",
    "summary": "Connects a sending account after trying its credentials",
    "description": "Who may call: key with `providers:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "providers:write"
      ]
     },
     {
      "session": [
       "providers:write"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "oneOf": [
         {
          "type": "object",
          "properties": {
           "kind": {
            "type": "string",
            "const": "smtp"
           },
           "credentials": {
            "type": "object",
            "properties": {
             "host": {
              "type": "string",
              "maxLength": 255
             },
             "port": {
              "type": "integer",
              "minimum": 1,
              "maximum": 65535
             },
             "secure": {
              "type": "boolean"
             },
             "username": {
              "default": null,
              "anyOf": [
               {
                "type": "string",
                "minLength": 1,
                "maxLength": 512,
                "pattern": "^[^\\p{Cc}\\p{Cs}]*$"
               },
               {
                "type": "null"
               }
              ]
             },
             "password": {
              "default": null,
              "anyOf": [
               {
                "type": "string",
                "minLength": 1,
                "maxLength": 1024,
                "pattern": "^[^\\p{Cc}\\p{Cs}]*$"
               },
               {
                "type": "null"
               }
              ]
             }
            },
            "required": [
             "host",
             "port",
             "secure"
            ],
            "additionalProperties": false
           },
           "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "pattern": "^[^\\p{Cc}\\p{Cs}]*$"
           },
           "environment": {
            "type": "string",
            "enum": [
             "live",
             "test"
            ]
           },
           "default": {
            "type": "boolean"
           }
          },
          "required": [
           "kind",
           "credentials",
           "name"
          ],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {
           "kind": {
            "type": "string",
            "const": "resend"
           },
           "credentials": {
            "type": "object",
            "properties": {
             "api_key": {
              "type": "string",
              "pattern": "^[!-~]{1,256}$"
             },
             "webhook_secret": {
              "default": null,
              "anyOf": [
               {
                "type": "string",
                "pattern": "^whsec_[A-Za-z0-9+/]{16,200}={0,2}$"
               },
               {
                "type": "null"
               }
              ]
             }
            },
            "required": [
             "api_key"
            ],
            "additionalProperties": false
           },
           "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "pattern": "^[^\\p{Cc}\\p{Cs}]*$"
           },
           "environment": {
            "type": "string",
            "enum": [
             "live",
             "test"
            ]
           },
           "default": {
            "type": "boolean"
           }
          },
          "required": [
           "kind",
           "credentials",
           "name"
          ],
          "additionalProperties": false
         }
        ]
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "kind": {
           "type": "string",
           "enum": [
            "smtp",
            "resend"
           ]
          },
          "name": {
           "type": "string"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "default": {
           "type": "boolean"
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "inbound_url": {
           "type": "string",
           "format": "uri"
          },
          "inbound_secret": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "kind",
          "name",
          "environment",
          "default",
          "created_at",
          "inbound_url"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/providers/{id}": {
   "patch": {
    "operationId": "PATCHProvidersId",
    "summary": "Changes a provider's name or credentials, or makes it the default",
    "description": "Who may call: key with `providers:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "providers:write"
      ]
     },
     {
      "session": [
       "providers:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "minLength": 1,
          "maxLength": 100,
          "pattern": "^[^\\p{Cc}\\p{Cs}]*$"
         },
         "credentials": {
          "type": "object",
          "propertyNames": {
           "type": "string"
          },
          "additionalProperties": {}
         },
         "default": {
          "type": "boolean"
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "kind": {
           "type": "string",
           "enum": [
            "smtp",
            "resend"
           ]
          },
          "name": {
           "type": "string"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "default": {
           "type": "boolean"
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "kind",
          "name",
          "environment",
          "default",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "delete": {
    "operationId": "DELETEProvidersId",
    "summary": "Removes a provider that has no mail left to send",
    "description": "Who may call: key with `providers:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "providers:write"
      ]
     },
     {
      "session": [
       "providers:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "removed": {
           "type": "boolean",
           "const": true
          }
         },
         "required": [
          "id",
          "removed"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/receive-webhook/{kind}/{token}": {
   "post": {
    "operationId": "POSTReceiveWebhookKindToken",
    "summary": "Receives events and mail from a connected provider",
    "description": "Who may call: the provider, by its connection's token and signature.",
    "security": [
     {}
    ],
    "parameters": [
     {
      "name": "kind",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     },
     {
      "name": "token",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "*/*": {
       "schema": {
        "type": "string",
        "format": "binary"
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          }
         },
         "required": [
          "id"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/replay-deliveries": {
   "post": {
    "operationId": "POSTReplayDeliveries",
    "summary": "Sends one delivery again, or all of an endpoint that failed since a time",
    "description": "Who may call: key with `webhooks:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:write"
      ]
     },
     {
      "session": [
       "webhooks:write"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "delivery_id": {
          "type": "string",
          "pattern": "^dlv_[0-9A-HJKMNP-TV-Z]{26}$"
         },
         "endpoint_id": {
          "type": "string",
          "pattern": "^whk_[0-9A-HJKMNP-TV-Z]{26}$"
         },
         "since": {
          "type": "string",
          "format": "date-time",
          "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "202": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "job_id": {
           "type": "string"
          }
         },
         "required": [
          "job_id"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/report-leaked-key": {
   "post": {
    "operationId": "POSTReportLeakedKey",
    "summary": "Revokes keys that were found in the open; the answer is the same for any",
    "description": "Who may call: anyone.",
    "security": [
     {}
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "keys": {
          "minItems": 1,
          "maxItems": 100,
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 500
          }
         },
         "source_url": {
          "type": "string",
          "maxLength": 2048,
          "pattern": "^[\\x21-\\x7e]*$"
         }
        },
        "required": [
         "keys"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "202": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "received": {
           "type": "number"
          }
         },
         "required": [
          "received"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/revoke-key": {
   "post": {
    "operationId": "POSTRevokeKey",
    "summary": "Revokes an API key and the keys it issued, or every key a filter finds",
    "description": "Who may call: key with `keys:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "keys:write"
      ]
     },
     {
      "session": [
       "keys:write"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": {}
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "anyOf": [
          {
           "type": "object",
           "properties": {
            "id": {
             "type": "string"
            },
            "revoked_at": {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            }
           },
           "required": [
            "id",
            "revoked_at"
           ],
           "additionalProperties": false
          },
          {
           "type": "object",
           "properties": {
            "data": {
             "type": "array",
             "items": {
              "type": "object",
              "properties": {
               "id": {
                "type": "string"
               },
               "name": {
                "type": "string"
               },
               "environment": {
                "type": "string",
                "enum": [
                 "live",
                 "test"
                ]
               },
               "scopes": {
                "type": "array",
                "items": {
                 "type": "string"
                }
               },
               "fences": {
                "type": "object",
                "properties": {
                 "sending_domains": {
                  "anyOf": [
                   {
                    "type": "array",
                    "items": {
                     "type": "string"
                    }
                   },
                   {
                    "type": "null"
                   }
                  ]
                 },
                 "mailboxes": {
                  "anyOf": [
                   {
                    "type": "array",
                    "items": {
                     "type": "string"
                    }
                   },
                   {
                    "type": "null"
                   }
                  ]
                 },
                 "recipient_domains": {
                  "anyOf": [
                   {
                    "type": "array",
                    "items": {
                     "type": "string"
                    }
                   },
                   {
                    "type": "null"
                   }
                  ]
                 },
                 "ip_ranges": {
                  "anyOf": [
                   {
                    "type": "array",
                    "items": {
                     "type": "string"
                    }
                   },
                   {
                    "type": "null"
                   }
                  ]
                 }
                },
                "required": [
                 "sending_domains",
                 "mailboxes",
                 "recipient_domains",
                 "ip_ranges"
                ],
                "additionalProperties": false
               },
               "limits": {
                "type": "object",
                "properties": {
                 "per_minute": {
                  "type": [
                   "number",
                   "null"
                  ]
                 },
                 "per_day": {
                  "type": [
                   "number",
                   "null"
                  ]
                 }
                },
                "required": [
                 "per_minute",
                 "per_day"
                ],
                "additionalProperties": false
               },
               "honey": {
                "type": "boolean"
               },
               "last_four": {
                "type": "string"
               },
               "issued_by": {
                "type": [
                 "string",
                 "null"
                ]
               },
               "expires_at": {
                "anyOf": [
                 {
                  "type": "string",
                  "format": "date-time",
                  "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
                 },
                 {
                  "type": "null"
                 }
                ]
               },
               "created_at": {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               "revoked_at": {
                "anyOf": [
                 {
                  "type": "string",
                  "format": "date-time",
                  "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
                 },
                 {
                  "type": "null"
                 }
                ]
               },
               "exposed_at": {
                "anyOf": [
                 {
                  "type": "string",
                  "format": "date-time",
                  "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
                 },
                 {
                  "type": "null"
                 }
                ]
               },
               "replaces": {
                "type": [
                 "string",
                 "null"
                ]
               },
               "replaced_by": {
                "type": [
                 "string",
                 "null"
                ]
               },
               "rotation_due": {
                "type": "boolean"
               },
               "last_used_at": {
                "anyOf": [
                 {
                  "type": "string",
                  "format": "date-time",
                  "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
                 },
                 {
                  "type": "null"
                 }
                ]
               },
               "last_used_range": {
                "type": [
                 "string",
                 "null"
                ]
               },
               "use_count": {
                "type": "number"
               },
               "refused_count": {
                "type": "number"
               }
              },
              "required": [
               "id",
               "name",
               "environment",
               "scopes",
               "fences",
               "limits",
               "honey",
               "last_four",
               "issued_by",
               "expires_at",
               "created_at",
               "revoked_at",
               "exposed_at",
               "replaces",
               "replaced_by",
               "rotation_due",
               "last_used_at",
               "last_used_range",
               "use_count",
               "refused_count"
              ],
              "additionalProperties": false
             }
            },
            "dry_run": {
             "type": "boolean"
            }
           },
           "required": [
            "data",
            "dry_run"
           ],
           "additionalProperties": false
          }
         ]
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/rotate-key": {
   "post": {
    "operationId": "POSTRotateKey",
    "summary": "Issues a key's successor, shown once; both live for the overlap",
    "description": "Who may call: key with `keys:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "keys:write"
      ]
     },
     {
      "session": [
       "keys:write"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "id": {
          "type": "string",
          "pattern": "^key_[0-9A-HJKMNP-TV-Z]{26}$"
         },
         "overlap_seconds": {
          "default": 86400,
          "type": "integer",
          "minimum": 0,
          "maximum": 2592000
         }
        },
        "required": [
         "id"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "name": {
           "type": "string"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "scopes": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "fences": {
           "type": "object",
           "properties": {
            "sending_domains": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "mailboxes": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "recipient_domains": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "ip_ranges": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            }
           },
           "required": [
            "sending_domains",
            "mailboxes",
            "recipient_domains",
            "ip_ranges"
           ],
           "additionalProperties": false
          },
          "limits": {
           "type": "object",
           "properties": {
            "per_minute": {
             "type": [
              "number",
              "null"
             ]
            },
            "per_day": {
             "type": [
              "number",
              "null"
             ]
            }
           },
           "required": [
            "per_minute",
            "per_day"
           ],
           "additionalProperties": false
          },
          "honey": {
           "type": "boolean"
          },
          "last_four": {
           "type": "string"
          },
          "issued_by": {
           "type": [
            "string",
            "null"
           ]
          },
          "expires_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "key": {
           "type": "string"
          },
          "replaces": {
           "type": "string"
          },
          "old_key_expires_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "descendants_ending": {
           "type": "number"
          }
         },
         "required": [
          "id",
          "name",
          "environment",
          "scopes",
          "fences",
          "limits",
          "honey",
          "last_four",
          "issued_by",
          "expires_at",
          "created_at",
          "key",
          "replaces",
          "old_key_expires_at",
          "descendants_ending"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/run-data-jobs": {
   "post": {
    "operationId": "POSTRunDataJobs",
    "summary": "Takes one step of a replay, an export, a deletion or a rotation of the master key",
    "description": "Who may call: the workers' secret.",
    "security": [
     {
      "worker": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "done": {
           "type": "number"
          }
         },
         "required": [
          "done"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/run-maintenance": {
   "post": {
    "operationId": "POSTRunMaintenance",
    "summary": "Removes what has expired, flushes counters, tells of keys that are due, seals the audit log",
    "description": "Who may call: the workers' secret.",
    "security": [
     {
      "worker": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "idempotency_records": {
           "type": "number"
          },
          "orphan_objects": {
           "type": "number"
          },
          "used_keys": {
           "type": "number"
          },
          "rate_windows": {
           "type": "number"
          },
          "keys_due": {
           "type": "number"
          },
          "sealed_ranges": {
           "type": "number"
          },
          "dropped_ranges": {
           "type": "number"
          },
          "messages": {
           "type": "number"
          },
          "raw_mail": {
           "type": "number"
          },
          "events": {
           "type": "number"
          },
          "attempts": {
           "type": "number"
          },
          "copies": {
           "type": "number"
          },
          "removed_deliveries": {
           "type": "number"
          }
         },
         "required": [
          "idempotency_records",
          "orphan_objects",
          "used_keys",
          "rate_windows",
          "keys_due",
          "sealed_ranges",
          "dropped_ranges",
          "messages",
          "raw_mail",
          "events",
          "attempts",
          "copies",
          "removed_deliveries"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/send-mail": {
   "post": {
    "operationId": "POSTSendMail",
    "summary": "Sends a message",
    "description": "Who may call: key with `mail:send`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "mail:send"
      ]
     },
     {
      "session": [
       "mail:send"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "from": {
          "anyOf": [
           {
            "type": "string"
           },
           {
            "type": "object",
            "properties": {
             "email": {
              "type": "string"
             },
             "name": {
              "type": [
               "string",
               "null"
              ]
             }
            },
            "required": [
             "email"
            ],
            "additionalProperties": false
           }
          ]
         },
         "to": {
          "minItems": 1,
          "maxItems": 51,
          "type": "array",
          "items": {
           "anyOf": [
            {
             "type": "string"
            },
            {
             "type": "object",
             "properties": {
              "email": {
               "type": "string"
              },
              "name": {
               "type": [
                "string",
                "null"
               ]
              }
             },
             "required": [
              "email"
             ],
             "additionalProperties": false
            }
           ]
          }
         },
         "cc": {
          "maxItems": 51,
          "type": "array",
          "items": {
           "anyOf": [
            {
             "type": "string"
            },
            {
             "type": "object",
             "properties": {
              "email": {
               "type": "string"
              },
              "name": {
               "type": [
                "string",
                "null"
               ]
              }
             },
             "required": [
              "email"
             ],
             "additionalProperties": false
            }
           ]
          }
         },
         "bcc": {
          "maxItems": 51,
          "type": "array",
          "items": {
           "anyOf": [
            {
             "type": "string"
            },
            {
             "type": "object",
             "properties": {
              "email": {
               "type": "string"
              },
              "name": {
               "type": [
                "string",
                "null"
               ]
              }
             },
             "required": [
              "email"
             ],
             "additionalProperties": false
            }
           ]
          }
         },
         "reply_to": {
          "anyOf": [
           {
            "anyOf": [
             {
              "type": "string"
             },
             {
              "type": "object",
              "properties": {
               "email": {
                "type": "string"
               },
               "name": {
                "type": [
                 "string",
                 "null"
                ]
               }
              },
              "required": [
               "email"
              ],
              "additionalProperties": false
             }
            ]
           },
           {
            "maxItems": 50,
            "type": "array",
            "items": {
             "anyOf": [
              {
               "type": "string"
              },
              {
               "type": "object",
               "properties": {
                "email": {
                 "type": "string"
                },
                "name": {
                 "type": [
                  "string",
                  "null"
                 ]
                }
               },
               "required": [
                "email"
               ],
               "additionalProperties": false
              }
             ]
            }
           }
          ]
         },
         "replyTo": {
          "anyOf": [
           {
            "anyOf": [
             {
              "type": "string"
             },
             {
              "type": "object",
              "properties": {
               "email": {
                "type": "string"
               },
               "name": {
                "type": [
                 "string",
                 "null"
                ]
               }
              },
              "required": [
               "email"
              ],
              "additionalProperties": false
             }
            ]
           },
           {
            "maxItems": 50,
            "type": "array",
            "items": {
             "anyOf": [
              {
               "type": "string"
              },
              {
               "type": "object",
               "properties": {
                "email": {
                 "type": "string"
                },
                "name": {
                 "type": [
                  "string",
                  "null"
                 ]
                }
               },
               "required": [
                "email"
               ],
               "additionalProperties": false
              }
             ]
            }
           }
          ]
         },
         "subject": {
          "type": "string",
          "maxLength": 998
         },
         "text": {
          "type": "string",
          "maxLength": 36700160
         },
         "textBody": {
          "type": "string",
          "maxLength": 36700160
         },
         "html": {
          "type": "string",
          "maxLength": 36700160
         },
         "htmlBody": {
          "type": "string",
          "maxLength": 36700160
         },
         "headers": {
          "default": {},
          "type": "object",
          "propertyNames": {
           "type": "string"
          },
          "additionalProperties": {
           "type": "string"
          }
         },
         "tags": {
          "default": [],
          "maxItems": 10,
          "type": "array",
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 256,
           "pattern": "^[^\\p{Cc}]*$"
          }
         },
         "metadata": {
          "default": {},
          "type": "object",
          "propertyNames": {
           "type": "string",
           "minLength": 1,
           "maxLength": 100
          },
          "additionalProperties": {
           "type": "string",
           "maxLength": 500
          }
         },
         "attachments": {
          "maxItems": 100,
          "type": "array",
          "items": {
           "type": "object",
           "properties": {
            "filename": {
             "type": "string",
             "minLength": 1,
             "maxLength": 255
            },
            "content": {
             "type": "string",
             "contentEncoding": "base64"
            },
            "content_type": {
             "type": "string",
             "maxLength": 200,
             "pattern": "^[A-Za-z0-9!#$&^_.+-]+\\/[A-Za-z0-9!#$&^_.+-]+(?:; ?[A-Za-z0-9-]+=\"?[A-Za-z0-9_.+-]+\"?)*$"
            },
            "contentType": {
             "type": "string",
             "maxLength": 200,
             "pattern": "^[A-Za-z0-9!#$&^_.+-]+\\/[A-Za-z0-9!#$&^_.+-]+(?:; ?[A-Za-z0-9-]+=\"?[A-Za-z0-9_.+-]+\"?)*$"
            },
            "content_id": {
             "type": "string",
             "pattern": "^[A-Za-z0-9._@+-]{1,200}$"
            }
           },
           "required": [
            "filename",
            "content"
           ],
           "additionalProperties": false
          }
         },
         "provider_id": {
          "type": "string",
          "pattern": "^prv_[0-9A-HJKMNP-TV-Z]{26}$"
         },
         "wait": {
          "default": false,
          "type": "boolean"
         }
        },
        "required": [
         "from",
         "to",
         "subject"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "202": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "status": {
           "type": "string"
          },
          "thread_id": {
           "type": "string"
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "status",
          "thread_id",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/take-out-master-key": {
   "post": {
    "operationId": "POSTTakeOutMasterKey",
    "summary": "Hands out the master key, wrapped to a passphrase, once, to who owns every organization",
    "description": "Who may call: session of an owner.",
    "security": [
     {
      "session": []
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "passphrase": {
          "type": "string",
          "minLength": 16,
          "maxLength": 200
         }
        },
        "required": [
         "passphrase"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "version": {
           "type": "number"
          },
          "wrapped": {
           "type": "string"
          }
         },
         "required": [
          "version",
          "wrapped"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/webhook-stats": {
   "get": {
    "operationId": "GETWebhookStats",
    "summary": "Shows each endpoint's success rate, times and backlog",
    "description": "Who may call: key with `webhooks:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:read"
      ]
     },
     {
      "session": [
       "webhooks:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "endpoint_id",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "pattern": "^whk_[0-9A-HJKMNP-TV-Z]{26}$"
      }
     },
     {
      "name": "since",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "format": "date-time",
       "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "since": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "endpoint_id": {
              "type": "string"
             },
             "url": {
              "type": "string"
             },
             "enabled": {
              "type": "boolean"
             },
             "failing_since": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "attempts": {
              "type": "number"
             },
             "succeeded": {
              "type": "number"
             },
             "success_rate": {
              "type": [
               "number",
               "null"
              ]
             },
             "p50_ms": {
              "type": [
               "number",
               "null"
              ]
             },
             "p95_ms": {
              "type": [
               "number",
               "null"
              ]
             },
             "backlog": {
              "type": "number"
             },
             "oldest_waiting_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             }
            },
            "required": [
             "endpoint_id",
             "url",
             "enabled",
             "failing_since",
             "attempts",
             "succeeded",
             "success_rate",
             "p50_ms",
             "p95_ms",
             "backlog",
             "oldest_waiting_at"
            ],
            "additionalProperties": false
           }
          }
         },
         "required": [
          "since",
          "data"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/webhooks": {
   "get": {
    "operationId": "GETWebhooks",
    "summary": "Lists webhook endpoints",
    "description": "Who may call: key with `webhooks:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:read"
      ]
     },
     {
      "session": [
       "webhooks:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "schema": {
       "default": 50,
       "type": "integer",
       "minimum": 1,
       "maximum": 100
      }
     },
     {
      "name": "cursor",
      "in": "query",
      "required": false,
      "schema": {
       "type": "string",
       "maxLength": 200
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "data": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "url": {
              "type": "string"
             },
             "description": {
              "type": [
               "string",
               "null"
              ]
             },
             "events": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "thin": {
              "type": "boolean"
             },
             "header_names": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "max_concurrent": {
              "type": "number"
             },
             "max_per_second": {
              "type": [
               "number",
               "null"
              ]
             },
             "enabled": {
              "type": "boolean"
             },
             "disabled_reason": {
              "anyOf": [
               {
                "type": "string",
                "enum": [
                 "by_hand",
                 "gone",
                 "asked",
                 "failing",
                 "redacted",
                 "closed"
                ]
               },
               {
                "type": "null"
               }
              ]
             },
             "disabled_at": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "failing_since": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "previous_secret_until": {
              "anyOf": [
               {
                "type": "string",
                "format": "date-time",
                "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
               },
               {
                "type": "null"
               }
              ]
             },
             "environment": {
              "type": "string",
              "enum": [
               "live",
               "test"
              ]
             },
             "created_at": {
              "type": "string",
              "format": "date-time",
              "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
             }
            },
            "required": [
             "id",
             "url",
             "description",
             "events",
             "thin",
             "header_names",
             "max_concurrent",
             "max_per_second",
             "enabled",
             "disabled_reason",
             "disabled_at",
             "failing_since",
             "previous_secret_until",
             "environment",
             "created_at"
            ],
            "additionalProperties": false
           }
          },
          "has_more": {
           "type": "boolean"
          },
          "next": {
           "type": [
            "string",
            "null"
           ]
          }
         },
         "required": [
          "data",
          "has_more",
          "next"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "operationId": "POSTWebhooks",
    "summary": "Subscribes a URL to events; its secret is shown once",
    "description": "Who may call: key with `webhooks:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:write"
      ]
     },
     {
      "session": [
       "webhooks:write"
      ]
     }
    ],
    "parameters": [],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "url": {
          "type": "string",
          "maxLength": 2048,
          "format": "uri"
         },
         "events": {
          "minItems": 1,
          "maxItems": 50,
          "type": "array",
          "items": {
           "type": "string",
           "enum": [
            "email.queued",
            "email.sent",
            "email.delivered",
            "email.deferred",
            "email.bounced",
            "email.complained",
            "email.opened",
            "email.clicked",
            "email.failed",
            "email.suppressed",
            "email.unknown",
            "email.cancelled",
            "email.received",
            "domain.verified",
            "domain.failed",
            "key.issued",
            "key.rotated",
            "key.revoked",
            "key.rotation_due",
            "key.exposed",
            "key.honey_used",
            "audit.sealed",
            "provider.paused",
            "export.ready",
            "webhook.disabled",
            "*"
           ]
          }
         },
         "environment": {
          "type": "string",
          "enum": [
           "live",
           "test"
          ]
         },
         "description": {
          "anyOf": [
           {
            "type": "string",
            "maxLength": 500
           },
           {
            "type": "null"
           }
          ]
         },
         "headers": {
          "anyOf": [
           {
            "type": "object",
            "propertyNames": {
             "type": "string"
            },
            "additionalProperties": {
             "type": "string"
            }
           },
           {
            "type": "null"
           }
          ]
         },
         "thin": {
          "default": false,
          "type": "boolean"
         },
         "max_concurrent": {
          "default": 10,
          "type": "integer",
          "minimum": 1,
          "maximum": 50
         },
         "max_per_second": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000
           },
           {
            "type": "null"
           }
          ]
         }
        },
        "required": [
         "url",
         "events"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "url": {
           "type": "string"
          },
          "description": {
           "type": [
            "string",
            "null"
           ]
          },
          "events": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "thin": {
           "type": "boolean"
          },
          "header_names": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "max_concurrent": {
           "type": "number"
          },
          "max_per_second": {
           "type": [
            "number",
            "null"
           ]
          },
          "enabled": {
           "type": "boolean"
          },
          "disabled_reason": {
           "anyOf": [
            {
             "type": "string",
             "enum": [
              "by_hand",
              "gone",
              "asked",
              "failing",
              "redacted",
              "closed"
             ]
            },
            {
             "type": "null"
            }
           ]
          },
          "disabled_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "failing_since": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "previous_secret_until": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "secret": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "url",
          "description",
          "events",
          "thin",
          "header_names",
          "max_concurrent",
          "max_per_second",
          "enabled",
          "disabled_reason",
          "disabled_at",
          "failing_since",
          "previous_secret_until",
          "environment",
          "created_at",
          "secret"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/webhooks/{id}": {
   "get": {
    "operationId": "GETWebhooksId",
    "summary": "Shows an endpoint",
    "description": "Who may call: key with `webhooks:read`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:read"
      ]
     },
     {
      "session": [
       "webhooks:read"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "url": {
           "type": "string"
          },
          "description": {
           "type": [
            "string",
            "null"
           ]
          },
          "events": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "thin": {
           "type": "boolean"
          },
          "header_names": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "max_concurrent": {
           "type": "number"
          },
          "max_per_second": {
           "type": [
            "number",
            "null"
           ]
          },
          "enabled": {
           "type": "boolean"
          },
          "disabled_reason": {
           "anyOf": [
            {
             "type": "string",
             "enum": [
              "by_hand",
              "gone",
              "asked",
              "failing",
              "redacted",
              "closed"
             ]
            },
            {
             "type": "null"
            }
           ]
          },
          "disabled_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "failing_since": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "previous_secret_until": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "url",
          "description",
          "events",
          "thin",
          "header_names",
          "max_concurrent",
          "max_per_second",
          "enabled",
          "disabled_reason",
          "disabled_at",
          "failing_since",
          "previous_secret_until",
          "environment",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "patch": {
    "operationId": "PATCHWebhooksId",
    "summary": "Changes an endpoint, or enables or disables it",
    "description": "Who may call: key with `webhooks:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:write"
      ]
     },
     {
      "session": [
       "webhooks:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "url": {
          "type": "string",
          "maxLength": 2048,
          "format": "uri"
         },
         "events": {
          "minItems": 1,
          "maxItems": 50,
          "type": "array",
          "items": {
           "type": "string",
           "enum": [
            "email.queued",
            "email.sent",
            "email.delivered",
            "email.deferred",
            "email.bounced",
            "email.complained",
            "email.opened",
            "email.clicked",
            "email.failed",
            "email.suppressed",
            "email.unknown",
            "email.cancelled",
            "email.received",
            "domain.verified",
            "domain.failed",
            "key.issued",
            "key.rotated",
            "key.revoked",
            "key.rotation_due",
            "key.exposed",
            "key.honey_used",
            "audit.sealed",
            "provider.paused",
            "export.ready",
            "webhook.disabled",
            "*"
           ]
          }
         },
         "description": {
          "anyOf": [
           {
            "type": "string",
            "maxLength": 500
           },
           {
            "type": "null"
           }
          ]
         },
         "headers": {
          "anyOf": [
           {
            "type": "object",
            "propertyNames": {
             "type": "string"
            },
            "additionalProperties": {
             "type": "string"
            }
           },
           {
            "type": "null"
           }
          ]
         },
         "thin": {
          "type": "boolean"
         },
         "enabled": {
          "type": "boolean"
         },
         "max_concurrent": {
          "type": "integer",
          "minimum": 1,
          "maximum": 50
         },
         "max_per_second": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000
           },
           {
            "type": "null"
           }
          ]
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "url": {
           "type": "string"
          },
          "description": {
           "type": [
            "string",
            "null"
           ]
          },
          "events": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "thin": {
           "type": "boolean"
          },
          "header_names": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "max_concurrent": {
           "type": "number"
          },
          "max_per_second": {
           "type": [
            "number",
            "null"
           ]
          },
          "enabled": {
           "type": "boolean"
          },
          "disabled_reason": {
           "anyOf": [
            {
             "type": "string",
             "enum": [
              "by_hand",
              "gone",
              "asked",
              "failing",
              "redacted",
              "closed"
             ]
            },
            {
             "type": "null"
            }
           ]
          },
          "disabled_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "failing_since": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "previous_secret_until": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          }
         },
         "required": [
          "id",
          "url",
          "description",
          "events",
          "thin",
          "header_names",
          "max_concurrent",
          "max_per_second",
          "enabled",
          "disabled_reason",
          "disabled_at",
          "failing_since",
          "previous_secret_until",
          "environment",
          "created_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "delete": {
    "operationId": "DELETEWebhooksId",
    "summary": "Removes an endpoint and what still waits for it",
    "description": "Who may call: key with `webhooks:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:write"
      ]
     },
     {
      "session": [
       "webhooks:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "removed": {
           "type": "boolean",
           "const": true
          }
         },
         "required": [
          "id",
          "removed"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/webhooks/{id}/test": {
   "post": {
    "operationId": "POSTWebhooksIdTest",
    "summary": "Sends an endpoint a test event",
    "description": "Who may call: key with `webhooks:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:write"
      ]
     },
     {
      "session": [
       "webhooks:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "202": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "event_id": {
           "type": "string"
          },
          "delivery_id": {
           "type": "string"
          }
         },
         "required": [
          "event_id",
          "delivery_id"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/webhooks/{id}/rotate-secret": {
   "post": {
    "operationId": "POSTWebhooksIdRotateSecret",
    "summary": "Gives an endpoint a new secret, shown once; the old one verifies for the overlap",
    "description": "Who may call: key with `webhooks:write`, or a session whose role grants it.",
    "security": [
     {
      "api_key": [
       "webhooks:write"
      ]
     },
     {
      "session": [
       "webhooks:write"
      ]
     }
    ],
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "overlap_seconds": {
          "default": 86400,
          "type": "integer",
          "minimum": 0,
          "maximum": 2592000
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "201": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "url": {
           "type": "string"
          },
          "description": {
           "type": [
            "string",
            "null"
           ]
          },
          "events": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "thin": {
           "type": "boolean"
          },
          "header_names": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "max_concurrent": {
           "type": "number"
          },
          "max_per_second": {
           "type": [
            "number",
            "null"
           ]
          },
          "enabled": {
           "type": "boolean"
          },
          "disabled_reason": {
           "anyOf": [
            {
             "type": "string",
             "enum": [
              "by_hand",
              "gone",
              "asked",
              "failing",
              "redacted",
              "closed"
             ]
            },
            {
             "type": "null"
            }
           ]
          },
          "disabled_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "failing_since": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "previous_secret_until": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "created_at": {
           "type": "string",
           "format": "date-time",
           "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
          },
          "secret": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "url",
          "description",
          "events",
          "thin",
          "header_names",
          "max_concurrent",
          "max_per_second",
          "enabled",
          "disabled_reason",
          "disabled_at",
          "failing_since",
          "previous_secret_until",
          "environment",
          "created_at",
          "secret"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/whoami": {
   "get": {
    "operationId": "GETWhoami",
    "summary": "Says who the credential speaks for and what it may do",
    "description": "Who may call: any key or session.",
    "security": [
     {
      "api_key": []
     },
     {
      "session": []
     }
    ],
    "parameters": [],
    "responses": {
     "200": {
      "description": "It worked.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "kind": {
           "type": "string",
           "enum": [
            "key",
            "session"
           ]
          },
          "id": {
           "type": "string"
          },
          "organization_id": {
           "type": "string"
          },
          "environment": {
           "type": "string",
           "enum": [
            "live",
            "test"
           ]
          },
          "role": {
           "type": [
            "string",
            "null"
           ]
          },
          "scopes": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "fences": {
           "type": "object",
           "properties": {
            "sending_domains": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "mailboxes": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "recipient_domains": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            },
            "ip_ranges": {
             "anyOf": [
              {
               "type": "array",
               "items": {
                "type": "string"
               }
              },
              {
               "type": "null"
              }
             ]
            }
           },
           "required": [
            "sending_domains",
            "mailboxes",
            "recipient_domains",
            "ip_ranges"
           ],
           "additionalProperties": false
          },
          "limits": {
           "type": "object",
           "properties": {
            "per_minute": {
             "type": [
              "number",
              "null"
             ]
            },
            "per_day": {
             "type": [
              "number",
              "null"
             ]
            }
           },
           "required": [
            "per_minute",
            "per_day"
           ],
           "additionalProperties": false
          },
          "expires_at": {
           "anyOf": [
            {
             "type": "string",
             "format": "date-time",
             "pattern": "^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z))$"
            },
            {
             "type": "null"
            }
           ]
          }
         },
         "required": [
          "kind",
          "id",
          "organization_id",
          "environment",
          "role",
          "scopes",
          "fences",
          "limits",
          "expires_at"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "A refusal.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  }
 },
 "components": {
  "securitySchemes": {
   "api_key": {
    "type": "http",
    "scheme": "bearer",
    "description": "mp_live_… or mp_test_…, from servers only."
   },
   "session": {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A Supabase session token."
   },
   "worker": {
    "type": "http",
    "scheme": "bearer",
    "description": "mpw_…, or the project's secret key."
   }
  },
  "schemas": {
   "Error": {
    "type": "object",
    "required": [
     "error",
     "code",
     "request_id"
    ],
    "properties": {
     "error": {
      "type": "string",
      "description": "A sentence for people."
     },
     "code": {
      "type": "string",
      "enum": [
       "invalid_json",
       "invalid_cursor",
       "key_misplaced",
       "invalid_header",
       "organization_required",
       "missing_credential",
       "invalid_credential",
       "key_in_browser",
       "https_required",
       "scope_missing",
       "fence_violated",
       "role_missing",
       "not_owner_of_all",
       "environment_mismatch",
       "live_required",
       "session_required",
       "organization_creation_closed",
       "invitation_for_another",
       "already_pinned",
       "not_found",
       "method_not_allowed",
       "idempotency_key_reused",
       "event_reused",
       "key_not_live",
       "key_rotated",
       "last_way_in",
       "export_running",
       "confirmation_invalid",
       "deletion_pending",
       "undo_over",
       "invitation_over",
       "already_member",
       "already_owner",
       "last_owner",
       "master_key_taken_out",
       "rotation_running",
       "too_many_webhooks",
       "webhook_disabled",
       "secret_rotating",
       "delivery_under_way",
       "webhook_redacted",
       "replay_running",
       "provider_in_use",
       "mailbox_exists",
       "payload_too_large",
       "unsupported_media_type",
       "invalid_request",
       "no_provider",
       "credentials_refused",
       "rate_limited",
       "too_many_failures",
       "internal",
       "provider_refused",
       "database_unavailable",
       "storage_unavailable",
       "auth_unavailable",
       "master_key_missing",
       "data_key_missing",
       "outcome_unknown"
      ]
     },
     "request_id": {
      "type": "string"
     },
     "details": {
      "type": "array",
      "items": {
       "type": "object",
       "required": [
        "path",
        "message"
       ],
       "properties": {
        "path": {
         "type": "string"
        },
        "message": {
         "type": "string"
        }
       }
      }
     },
     "hint": {
      "type": "string"
     },
     "docs": {
      "type": "string"
     },
     "message_id": {
      "type": "string"
     }
    }
   }
  }
 }
};
