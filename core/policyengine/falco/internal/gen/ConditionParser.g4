// Conditions. Every choice is made by the next token alone, so that the parser never has to look ahead; what that
// lets through (an empty place between two commas, a subscript after a blank) is refused when the tree is read.
parser grammar ConditionParser;

options { tokenVocab = ConditionLexer; }

condition : orExpr EOF;
orExpr    : andExpr (OR andExpr)*;
andExpr   : notExpr (AND notExpr)*;
notExpr   : NOT notExpr | primary;

primary
  : LPAREN orExpr RPAREN
  | EXISTS operand
  | operand (EXISTS | comparison)?
  ;

operand
  : attribute
  | TRANSFORMER LPAREN operand RPAREN
  | UNSUPPORTED arguments RPAREN
  ;

attribute : NAME SUBSCRIPT?;

comparison
  : ORDER_OP (value | list)
  | TEXT_OP (value | list | quantified)
  | LIST_OP (list | BARE | call)
  ;

value : QUOTED | BARE | call;

call
  : VAL attribute RPAREN
  | CALL operand RPAREN
  | CALL_UNSUPPORTED arguments RPAREN
  ;

quantified : QUANTIFIER_ROUND items? RPAREN | QUANTIFIER_SQUARE items? RBRACK;
list       : LPAREN items? RPAREN | LBRACK items? RBRACK;
items      : item (COMMA item?)*;
item       : QUOTED | BARE | list;

arguments : (ARGUMENT | LPAREN arguments RPAREN)*;
