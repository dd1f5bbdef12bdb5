// Names for the shapes of the API. They are generated from the OpenAPI document: `make desk-check`.
import type { components } from "api-types";

type Schemas = components["schemas"];

export type Answered = Schemas["Answered"];
export type Approval = Schemas["Approval"];
export type ApprovalJob = Schemas["ApprovalJob"];
export type CannedJob = Schemas["CannedJob"];
export type Customer = Schemas["Customer"];
export type DeferredJob = Schemas["DeferredJob"];
export type Job = Schemas["Job"];
export type ListedTicket = Schemas["ListedTicket"];
export type Me = Schemas["Me"];
export type Mechanic = Schemas["Mechanic"];
export type MechanicName = Schemas["MechanicName"];
export type Movement = Schemas["Movement"];
export type Part = Schemas["Part"];
export type PartLine = Schemas["PartLine"];
export type Shop = Schemas["Shop"];
export type Ticket = Schemas["Ticket"];
export type TicketCard = Schemas["TicketCard"];
export type TicketChanges = Schemas["TicketChanges"];
export type TicketEvent = Schemas["TicketEvent"];
export type TicketStatus = Schemas["TicketStatus"];
export type Vehicle = Schemas["Vehicle"];
